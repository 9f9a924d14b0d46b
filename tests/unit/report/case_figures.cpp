// tests/cases/figures: a figures file, what a study measured, and what becomes of it.
//   study           one variant a line, as JSON: {"stage", "axes"?, "seed"?, "state"? ("done"), "metrics"?: {name:
//                   [unit, value, count? (0)]}, "answers"?: "101?" (item by item: right, wrong, not graded), "curves"?:
//                   {name: [value or null, ...]} (steps 0, 1, ...)}; without `study` the file is only read
//   expect: check   `ok`, or the diagnostics
//   expect: csv, expect: svg, expect: svg -dots   the first figure of the file; svg and a suffix: its twin
#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "domain/coordinates.h"
#include "report/draw_figure.h"
#include "report/figure_data.h"
#include "report/table_sources.h"
#include "report/text_table.h"
#include "spec/figure_reader.h"
#include "spec/language.h"
#include "support/case_file.h"

namespace lowbit::test {
namespace {

struct DrawnStudy {
  StudyResults results;
  Answers answers;
  Curves curves;
};

void add_variant(const Json& json, DrawnStudy& study) {
  StudyVariant variant;
  variant.stage = json.at("stage");
  variant.axes = json.value("axes", Json::object());
  variant.state = json.value("state", "done");
  Coordinates coordinates;
  for (const auto& [axis, value] : variant.axes.items()) coordinates.set(axis, value);
  if (json.contains("seed")) {
    variant.seed = json.at("seed").get<std::int64_t>();
    coordinates.set("seed", json.at("seed"));
  }
  variant.label = stage_label(variant.stage, coordinates);
  const auto id = static_cast<std::int64_t>(study.results.variants.size()) + 1;
  if (variant.state == "done") variant.result_id = id;
  const Json metrics = json.value("metrics", Json::object());
  for (const auto& [name, metric] : metrics.items()) {
    const Json& value = metric.at(1);
    variant.metrics[name] = {metric.at(0), value.is_null() ? std::nullopt : std::optional(value.get<double>()),
                             metric.size() > 2 ? metric.at(2).get<std::int64_t>() : 0};
  }
  const std::string grades = json.value("answers", "");
  for (std::size_t i = 0; i < grades.size(); ++i) {
    const std::string item = "item-" + std::to_string(i);
    study.answers[id].push_back({item, item, "p", grades[i] == '?' ? std::nullopt : std::optional(grades[i] == '1')});
  }
  const Json curves = json.value("curves", Json::object());
  for (const auto& [name, values] : curves.items()) {
    for (std::size_t step = 0; step < values.size(); ++step) {
      const Json& value = values[step];
      study.curves[id][name].push_back(
          {static_cast<std::int64_t>(step), value.is_null() ? std::nullopt : std::optional(value.get<double>())});
    }
  }
  study.results.variants.push_back(std::move(variant));
}

Result<report::MeasuredFigure> measured(const FigureSpec& figure, const DrawnStudy& study) {
  LB_TRY_ASSIGN(const report::FigurePoints points, report::points_of(figure, study.results));
  LB_TRY_ASSIGN(const auto sources, report::find_sources(points.table, study.results));
  return report::measure_figure(figure, points, sources, study.answers, study.curves);
}

std::string draw_case(const CaseFile& file, std::string_view expected) {
  const auto source = std::make_shared<const SourceText>(SourceText{"figures.yaml", file.text_of("figures.yaml")});
  const Result<FiguresFile> figures = spec::read_figures(source);
  if (!figures) return render(figures.error());
  if (file.find("study") == nullptr) return "ok";
  DrawnStudy study{.results = {.experiment = "study", .file = {}, .variants = {}}, .answers = {}, .curves = {}};
  for (const std::string& line : file.lines_of("study")) add_variant(Json::parse(line), study);
  const FigureSpec& figure = figures->figures.front();
  const auto result = measured(figure, study);
  if (!result) return render(result.error());
  if (expected == "check") return "ok";
  if (expected == "csv") return report::render(report::figure_data(figure, *result), report::TableFormat::csv);
  REQUIRE(expected.substr(0, 3) == "svg");
  for (const report::DrawnFigure& drawn : report::draw_figure(figure, *result, "lowbit run experiment.yaml")) {
    if (drawn.suffix == (expected.size() > 4 ? expected.substr(4) : "")) return drawn.svg;
  }
  return "no such twin";
}

TEST_CASE("every case of tests/cases/figures becomes what it expects", "[report][cases]") {
  for (const auto& path : case_files(LOWBIT_SOURCE_DIR "/tests/cases/figures")) {
    DYNAMIC_SECTION(path.filename().string()) { check_case(path, draw_case); }
  }
}

TEST_CASE("the page on figures reads its own examples and describes every key", "[report][docs]") {
  std::ifstream in(LOWBIT_SOURCE_DIR "/docs/figures.md");
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string open = "```yaml\n";
  std::size_t n_examples = 0;
  for (std::size_t begin = page.find(open); begin != std::string::npos; begin = page.find(open, begin + 1)) {
    const std::size_t end = page.find("```\n", begin + open.size());
    const std::string example = page.substr(begin + open.size(), end - begin - open.size());
    const auto figures = spec::read_figures(std::make_shared<const SourceText>(SourceText{"example", example}));
    INFO((figures ? std::string() : render(figures.error())));
    REQUIRE(figures.ok());
    n_examples += figures->figures.size();
  }
  CHECK(n_examples >= 6);
  using spec::Place;
  for (const Place place : {Place::figures_file, Place::line_figure, Place::radar_figure, Place::bars_figure,
                            Place::curves_figure, Place::heat_figure, Place::figure_row, Place::line_x, Place::line_y,
                            Place::radar_axis, Place::bar_part, Place::curve, Place::heat_x, Place::heat_color}) {
    for (const std::string& key : spec::key_names(place)) {
      INFO(key);
      CHECK(page.find("`" + key + "`") != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace lowbit::test
