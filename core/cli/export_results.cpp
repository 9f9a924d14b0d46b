#include "cli/export_results.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>
#include <utility>

#include "cli/export_order.h"
#include "cli/export_study.h"
#include "cli/session.h"
#include "env/fault.h"
#include "env/files.h"
#include "interchange/ro_crate.h"
#include "interchange/tensorboard.h"
#include "interchange/tidy_tables.h"
#include "store/result_rows.h"

namespace lowbit::cli {
namespace {

/// A result that several variants share is visited once, as the first of them.
Result<void> each_result(const ExportedStudy& study, const std::function<Result<void>(const ExportedVariant&)>& visit) {
  std::set<std::int64_t> seen;
  for (const std::size_t i : study.chosen) {
    const ExportedVariant& variant = study.variants[i];
    if (variant.variant.result_id && variant.result && seen.insert(*variant.variant.result_id).second) {
      LB_TRY(visit(variant));
    }
  }
  return {};
}

Result<void> write_items(const ExportOrder& order, store::ResultRows& rows, const interchange::TidyTables& tables,
                         ItemKind kind, const std::string& path) {
  LB_TRY_ASSIGN(env::FileWriter file, order.out.open(path));
  LB_TRY(each_result(order.study, [&](const ExportedVariant& variant) -> Result<void> {
    return rows.each_item(*variant.variant.result_id, kind,
                          [&](const ItemLine& item) { return file.write(tables.item_line(variant, item)); });
  }));
  return file.close();
}

Result<void> write_tidy(const ExportOrder& order, interchange::RowFormat format) {
  const interchange::TidyTables tables(order.study, format);
  const std::string end = interchange::extension_of(format);
  LB_TRY(order.out.write({"results" + end, tables.results()}));
  LB_TRY(order.out.write({"params" + end, tables.params()}));
  LB_TRY_ASSIGN(store::ResultRows rows, store::ResultRows::open(order.project.database()));
  LB_TRY_ASSIGN(env::FileWriter curves, order.out.open("curves" + end));
  LB_TRY(curves.write(tables.curves_header()));
  LB_TRY(each_result(order.study, [&](const ExportedVariant& variant) -> Result<void> {
    return rows.each_point(*variant.variant.result_id,
                           [&](const CurveRow& point) { return curves.write(tables.curve_line(variant, point)); });
  }));
  LB_TRY(curves.close());
  LB_TRY(write_items(order, rows, tables, ItemKind::predictions, "predictions.jsonl"));
  LB_TRY(write_items(order, rows, tables, ItemKind::verdicts, "verdicts.jsonl"));
  return write_items(order, rows, tables, ItemKind::grades, "grades.jsonl");
}

Result<void> write_csv(const ExportOrder& order) { return write_tidy(order, interchange::RowFormat::csv); }
Result<void> write_jsonl(const ExportOrder& order) { return write_tidy(order, interchange::RowFormat::jsonl); }

Result<void> write_tensorboard(const ExportOrder& order) {
  LB_TRY_ASSIGN(store::ResultRows rows, store::ResultRows::open(order.project.database()));
  for (const std::size_t i : order.study.chosen) {
    const ExportedVariant& variant = order.study.variants[i];
    if (!variant.result) continue;
    std::vector<CurveRow> points;
    LB_TRY(rows.each_point(*variant.variant.result_id, [&](const CurveRow& point) -> Result<void> {
      points.push_back(point);
      return {};
    }));
    if (points.empty() && variant.result->facts.metrics.empty()) continue;
    LB_TRY(order.out.write(interchange::tensorboard_run(variant, points)));
  }
  if (order.out.n_files() > 0) return {};
  return nothing_to_export(order.options, order.study, "no variant has a result with a curve or a metric",
                           "run it first: `lowbit run FILE`");
}

Result<void> write_crate(const ExportOrder& order) {
  const auto has_result = [&](std::size_t i) { return order.study.variants[i].result.has_value(); };
  if (std::none_of(order.study.chosen.begin(), order.study.chosen.end(), has_result)) {
    return nothing_to_export(order.options, order.study, "no variant has a result", "run it first: `lowbit run FILE`");
  }
  std::string text = order.study.text;
  if (text.empty()) {
    LB_TRY_ASSIGN(text, env::read_file(order.project.root / order.study.file));
  }
  const interchange::CrateSource source{.experiment_file = std::move(text),
                                        .lowbit_version = LOWBIT_VERSION,
                                        .license = order.options.get("license", "not stated")};
  for (const interchange::ExportFile& file : interchange::ro_crate(order.study, source)) LB_TRY(order.out.write(file));
  return {};
}

using Writer = Result<void> (*)(const ExportOrder&);

const std::vector<std::pair<std::string, Writer>>& writers() {
  static const std::vector<std::pair<std::string, Writer>> all{
      {"csv", write_csv},         {"jsonl", write_jsonl},
      {"lm-eval", write_lm_eval}, {"tensorboard", write_tensorboard},
      {"hf-card", write_cards},   {"ro-crate", write_crate}};
  return all;
}

}  // namespace

const std::vector<std::string>& results_formats() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& [name, writer] : writers()) out.push_back(name);
    return out;
  }();
  return names;
}

Diagnostic nothing_to_export(const CommandOptions& options, const ExportedStudy& study, const std::string& what,
                             const std::string& fix) {
  return error("LB7070", "there is nothing to export as " + options.get("format"))
      .note(what + " of " + study.experiment + (options.has("only") ? " that --only names" : ""))
      .fix(fix);
}

Result<int> export_results(const CommandOptions& options) {
  env::set_fault_role(env::ProcessRole::host);
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const ExportedStudy study, load_exported_study(project, options.get("source"), options.all("only")));
  if (options.has("into")) return patch_card(options, study);
  LB_TRY_ASSIGN(ExportDirectory out, ExportDirectory::begin(options.get("directory")));
  const ExportOrder order{project, options, study, out};
  for (const auto& [name, writer] : writers()) {
    if (name == options.get("format")) LB_TRY(writer(order));
  }
  LB_TRY(out.finish());
  std::printf("%s: %s, %zu %s\n", options.get("directory").c_str(), options.get("format").c_str(), out.n_files(),
              out.n_files() == 1 ? "file" : "files");
  return 0;
}

}  // namespace lowbit::cli
