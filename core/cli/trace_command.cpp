#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/study_files.h"
#include "cli/study_tables.h"
#include "report/comparison_identity.h"
#include "report/trace_page.h"
#include "store/project_facts.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

/// FILE [TABLE] ROW COLUMN: the table may be left out where the file has one.
struct CellName {
  std::string table;
  std::string row;
  std::string column;
};

Result<CellName> cell_name(const CommandOptions& options) {
  const std::vector<std::string> words = options.all("cell");
  constexpr std::size_t kWithTable = 3;
  if (words.size() + 1 == kWithTable) return CellName{{}, words[0], words[1]};
  if (words.size() == kWithTable) return CellName{words[0], words[1], words[2]};
  return error("LB0001",
               "`lowbit trace` takes a tables file, the name of a table, the id of a row and the label of a column")
      .note("the table may be left out where the file has one")
      .fix("lowbit trace FILE [TABLE] ROW COLUMN");
}

Result<void> add_facts(store::ProjectFacts& facts, const StudyResults& study, const StudyRecipes& recipes,
                       report::FigureTrace& trace) {
  for (report::TracedResult& result : trace.results) {
    const StudyVariant& variant = study.variants[result.variant];
    if (!variant.result_id) continue;
    LB_TRY_ASSIGN(result.execution, facts.execution(*variant.result_id));
    const std::vector<std::size_t> answering = report::answering_variants(recipes, result.variant);
    if (answering.size() != 1 || !study.variants[answering.front()].result_id) continue;
    // A stage that answers no items has no predictions.
    auto predictions = facts.predictions_of(*study.variants[answering.front()].result_id);
    if (!predictions) continue;
    result.predictions = *std::move(predictions);
    LB_TRY_ASSIGN(result.marks, facts.marks_on(result.predictions->digest));
  }
  report::add_decisions(trace, study, recipes);
  for (std::vector<report::TracedSource>* sources : {&trace.outside, &trace.decisions}) {
    for (report::TracedSource& source : *sources) {
      LB_TRY_ASSIGN(const std::optional<ArtifactPlace> place, facts.place_of(source.digest));
      if (place) source.path = place->path;
    }
  }
  return {};
}

Result<Answers> items_of(const exec::ProjectPaths& project, const report::FigureTrace& trace) {
  std::vector<std::int64_t> results;
  for (const report::TracedResult& result : trace.results) {
    if (result.predictions) results.push_back(result.predictions->result_id);
  }
  return store::answers_of(project.database(), results);
}

}  // namespace

Result<int> trace_command(const Words& words) {
  CommandOptions options("trace");
  options.argument("file", "a tables file, or the experiment or directory it stands beside", true)
      .arguments("cell",
                 "[TABLE] ROW COLUMN: the table where the file has several, the row by its id, the column by its "
                 "label",
                 true);
  options.flag("items", "every item with its grade, by result").flag("json", "one JSON object, not rounded").project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const CellName cell, cell_name(options));
  LB_TRY_ASSIGN(LoadedTables loaded, load_tables(options.get("file")));
  LB_TRY_ASSIGN(const TableSpec table, the_table(loaded.tables, cell.table));
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(StudyResults results, load_study(project.database(), loaded.tables.experiment));
  StudyTables tables(std::move(loaded), project, std::move(results), false);
  LB_TRY_ASSIGN(const FilledTable filled, tables.fill(table));
  const StudyResults& study = tables.study();
  LB_TRY_ASSIGN(const StudyRecipes recipes, store::study_recipes(project.database(), study));
  LB_TRY_ASSIGN(report::FigureTrace trace,
                report::trace_figure(table, cell.row, cell.column, filled.measured, filled.sources, study, recipes));
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY(add_facts(facts, study, recipes, trace));
  trace.rerun = running_command(project, study);
  Answers items;
  if (options.has("items")) {
    LB_TRY_ASSIGN(items, items_of(project, trace));
  }
  const Answers* listed = options.has("items") ? &items : nullptr;
  if (options.has("json")) {
    print_json(report::trace_document(trace, study, recipes, listed));
  } else {
    std::fputs(report::trace_page(trace, study, recipes, listed).c_str(), stdout);
  }
  return 0;
}

}  // namespace lowbit::cli
