#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/output_width.h"
#include "cli/session.h"
#include "cli/study_files.h"
#include "cli/study_tables.h"
#include "report/comparison_page.h"
#include "report/published_page.h"
#include "report/text_table.h"
#include "store/project_facts.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

constexpr std::size_t kNarrowestColumn = 6;

/// The experiment that is named first, else the only one of the project; the other words select.
struct Selected {
  std::string experiment;
  std::vector<std::string> words;
};

Result<Selected> selected(const exec::ProjectPaths& project, const CommandOptions& options) {
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::vector<std::string> experiments, facts.names(store::Named::experiments));
  Selected out{.experiment = options.get("experiment"), .words = options.all("selection")};
  if (std::find(experiments.begin(), experiments.end(), out.experiment) != experiments.end()) return out;
  if (const auto file = experiment_file(out.experiment)) {
    LB_TRY_ASSIGN(const Text named, experiment_named_in(*file));
    out.experiment = named.value;
    return out;
  }
  // With one experiment, its name need not stand before the selection.
  if (experiments.size() == 1) {
    if (!out.experiment.empty()) out.words.insert(out.words.begin(), out.experiment);
    out.experiment = experiments.front();
    return out;
  }
  return no_such_experiment(out.experiment, experiments, "compare");
}

/// The figures of a file of tables, or of those that are named behind it, beside those of the source paper.
Result<int> compare_with_paper(const CommandOptions& options) {
  LB_TRY_ASSIGN(LoadedTables loaded, load_tables(options.get("experiment", ".")));
  const std::vector<std::string> names = options.all("selection");
  for (const std::string& name : names) LB_TRY(the_table(loaded.tables, name));
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(StudyResults study, load_study(project.database(), loaded.tables.experiment));
  StudyTables tables(std::move(loaded), project, std::move(study), true);
  std::vector<report::PublishedComparison> all;
  for (const TableSpec& table : tables.all()) {
    if (!names.empty() && std::find(names.begin(), names.end(), table.name.value) == names.end()) continue;
    LB_TRY_ASSIGN(const FilledTable filled, tables.fill(table));
    for (report::PublishedComparison& one : report::compare_published(table, filled.measured, *filled.published)) {
      all.push_back(std::move(one));
    }
  }
  if (options.has("csv") || options.has("json")) {
    const auto style = options.has("csv") ? report::TableFormat::csv : report::TableFormat::json;
    std::fputs(report::render(report::published_rows(all), style).c_str(), stdout);
  } else {
    const auto page = options.has("markdown") ? report::PageFormat::markdown : report::PageFormat::text;
    std::fputs(report::published_page(all, page).c_str(), stdout);
  }
  return 0;
}

}  // namespace

Result<int> compare_command(const Words& words) {
  CommandOptions options("compare");
  options
      .argument("experiment",
                "whose variants: its name, its file, or the directory of that (default: the only one of the project)",
                false)
      .arguments("selection", "only these stages or variants: 'score', 'score[num_bits=3]'; axes may be left out",
                 false);
  options.many("baseline,b", "the variant that differences are taken to (default: the first); one a table; repeatable")
      .many("metric,m", "only metrics of this name; * stands for any text; repeatable")
      .flag("all-params", "also the parameters and metrics that are equal in all variants")
      .flag("all-columns", "all variants, also where they do not fit the terminal")
      .flag("csv", "one row a metric and variant, not rounded")
      .flag("json", "one JSON object, not rounded")
      .flag("markdown", "tables for GitHub")
      .flag("published", "the figures of a tables file (and of the tables named behind it) beside the source paper's")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  if (options.has("published")) return compare_with_paper(options);
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const Selected what, selected(project, options));
  const bool for_terminal =
      !options.has("csv") && !options.has("json") && !options.has("markdown") && !options.has("all-columns");
  const std::size_t width = for_terminal ? output_width() : 0;
  const report::CompareRequest request{
      .selection = what.words,
      .baselines = options.all("baseline"),
      .metrics = options.all("metric"),
      .everything = options.has("all-params"),
      .max_columns = for_terminal ? std::max<std::size_t>(width / kNarrowestColumn, 2) : 0};
  LB_TRY_ASSIGN(const StudyResults study, store::study_results(project.database(), what.experiment));
  LB_TRY_ASSIGN(const report::ComparedVariants variants, report::compared_variants(study, request));
  LB_TRY_ASSIGN(const StudyRecipes recipes, store::study_recipes(project.database(), study));
  LB_TRY_ASSIGN(const Answers answers,
                store::answers_of(project.database(), report::results_to_read(variants, study, recipes, request)));
  LB_TRY_ASSIGN(const report::Comparison comparison, report::compare(variants, study, recipes, answers, request));
  if (options.has("json")) {
    print_json(report::comparison_document(comparison));
  } else if (options.has("csv")) {
    std::fputs(report::render(report::comparison_rows(comparison), report::TableFormat::csv).c_str(), stdout);
  } else {
    const auto page = options.has("markdown") ? report::PageFormat::markdown : report::PageFormat::text;
    std::fputs(report::comparison_page(comparison, page, width, running_command(project, study)).c_str(), stdout);
  }
  return 0;
}

}  // namespace lowbit::cli
