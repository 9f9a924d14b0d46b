// A figures file, drawn from a study that is always the same. The input is the file, or a case file as in
// tests/cases/figures, of which only that section is read.
#include <cmath>
#include <memory>
#include <string>

#include "base/check.h"
#include "domain/coordinates.h"
#include "fuzz/fuzz.h"
#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/table_sources.h"
#include "spec/figure_reader.h"

using namespace lowbit;

namespace {

struct FixedStudy {
  StudyResults results{.experiment = "study", .file = "experiment.yaml", .options = {}, .text = {}, .variants = {}};
  Answers answers;
  Curves curves;
};

void add(FixedStudy& study, const char* stage, const Json& axes, std::int64_t seed, double value) {
  StudyVariant variant{.stage = stage, .label = {}, .axes = axes, .seed = seed, .state = "done", .metrics = {}};
  Coordinates coordinates;
  for (const auto& [axis, of_axis] : axes.items()) coordinates.set(axis, of_axis);
  coordinates.set("seed", seed);
  variant.label = stage_label(stage, coordinates);
  const auto id = static_cast<std::int64_t>(study.results.variants.size());
  variant.result_id = id;
  if (value < 0) {  // never run
    variant.state = "never";
    variant.result_id.reset();
  }
  for (const char* name : {"test/accuracy", "test/format_kept", "first_errors/execution", "x/steps"}) {
    variant.metrics[name] = {"fraction", value > 0.9 ? std::nullopt : std::optional(value), 10};
  }
  variant.metrics["model/stored_bytes"] = {"bytes", value * 1e6, 0};
  variant.metrics["toy/perplexity/token@64"] = {"ratio", 10 / (value + 0.01), 0};
  for (int i = 0; i < 4; ++i) {
    study.answers[id].push_back({std::to_string(i), std::to_string(i), "p", i < 4 * value});
    study.curves[id]["train/loss"].push_back({i, i == 2 ? std::nullopt : std::optional(value / (i + 1))});
    study.curves[id]["weights/layer_loss"].push_back({i, value - 0.2});
  }
  study.results.variants.push_back(std::move(variant));
}

const FixedStudy& study() {
  static const FixedStudy fixed = [] {
    FixedStudy out;
    for (const char* stage : {"score", "solve", "quantize", "align", "grade"}) {
      for (const char* method : {"rtn", "gptq"}) {
        for (const int bits : {4, 3, 2}) {
          for (const std::int64_t seed : {0, 1}) {
            const double value = bits == 3 && seed == 1 ? -1 : bits / 4.0 - (method[0] == 'r' ? 0.1 : 0);
            add(out, stage, {{"method", method}, {"bits", bits}, {"group", 64}}, seed, value);
          }
        }
      }
      add(out, stage, {{"base", "model"}}, 0, 0.5);
    }
    return out;
  }();
  return fixed;
}

Result<void> draw(const FigureSpec& figure) {
  LB_TRY_ASSIGN(const report::FigurePoints points, report::points_of(figure, study().results));
  LB_TRY_ASSIGN(const auto sources, report::find_sources(points.table, study().results));
  LB_TRY_ASSIGN(const report::MeasuredFigure measured,
                report::measure_figure(figure, points, sources, study().answers, study().curves));
  const QueryResult data = report::figure_data(figure, measured);
  for (const auto& row : data.rows) LB_CHECK(row.size() == data.columns.size());
  for (const report::DrawnFigure& drawn : report::draw_figure(figure, measured, "lowbit run experiment.yaml")) {
    LB_CHECK(drawn.svg.ends_with("</svg>\n"));
    for (const char* never : {"nan\"", "inf\"", "<script"}) LB_CHECK(drawn.svg.find(never) == std::string::npos);
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const std::string head = "--- figures.yaml\n";
  if (const auto begin = text.find(head); begin != std::string::npos) {
    text.erase(0, begin + head.size());
    text.erase(std::min(text.find("\n--- "), text.size()));
  }
  const Result<FiguresFile> figures =
      spec::read_figures(std::make_shared<const SourceText>(SourceText{"f.yaml", text}));
  if (!figures.ok()) {
    test::require_explained(figures.error());
    return 0;
  }
  for (const FigureSpec& figure : figures->figures) {
    if (const Result<void> drawn = draw(figure); !drawn.ok()) test::require_explained(drawn.error());
  }
  return 0;
}
