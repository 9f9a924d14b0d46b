#include "cli/study_tables.h"

#include "cli/command_options.h"
#include "env/files.h"
#include "report/comparison_identity.h"
#include "report/table_figures.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

bool ranks_something(const TableSpec& table) {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (table.ranks(c)) return true;
  }
  return false;
}

}  // namespace

std::string StudyTables::command(const TableSpec& table) const {
  const auto there = env::absolute(tables_.file);
  const std::string file = there.ok() ? there->lexically_proximate(project_.root).string() : tables_.file.string();
  return "lowbit table " + shell_word(file) + " " + table.name.value + (published_wanted_ ? " --published" : "");
}

Result<FilledTable> StudyTables::fill(const TableSpec& table) {
  FilledTable filled;
  LB_TRY_ASSIGN(filled.sources, report::find_sources(table, study_));
  const std::set<std::int64_t> results = report::results_of(filled.sources);
  if (const std::set<std::string> metrics = report::metrics_of(table); !metrics.empty()) {
    LB_TRY(store::read_metrics(project_.database(), results, study_, metrics));
  }
  LB_TRY_ASSIGN(filled.answers,
                store::answers_of(project_.database(), report::results_with_answers(table, filled.sources)));
  auto measured = report::measure(table, filled.sources, filled.answers);
  if (!measured) {
    // What is wrong is said with the names of all metrics.
    LB_TRY(store::read_metrics(project_.database(), results, study_));
    measured = report::measure(table, filled.sources, filled.answers);
  }
  LB_TRY_ASSIGN(filled.measured, std::move(measured));
  if (published_wanted_) {
    LB_TRY_ASSIGN(filled.published, load_published(tables_, table));
  }
  missing_ = missing_ || !filled.measured.missing.empty();
  return filled;
}

Result<report::PrintedTable> StudyTables::print(const TableSpec& table, const std::string& rerun) {
  LB_TRY_ASSIGN(const FilledTable filled, fill(table));
  StudyRecipes recipes;
  if (ranks_something(table)) {
    LB_TRY_ASSIGN(recipes, store::study_recipes(project_.database(), study_));
  }
  report::Identity identity(study_, recipes, filled.answers);
  const report::PrintContext context{.rerun = rerun,
                                     .command = command(table),
                                     .published = filled.published ? &*filled.published : nullptr,
                                     .identity = recipes.empty() ? nullptr : &identity};
  return report::print(table, filled.measured, context);
}

Result<QueryResult> StudyTables::figures(const TableSpec& table, bool comparisons) {
  LB_TRY_ASSIGN(const FilledTable filled, fill(table));
  if (comparisons) return report::comparisons(table, filled.measured);
  return report::figures(table, filled.measured, filled.published ? &*filled.published : nullptr);
}

}  // namespace lowbit::cli
