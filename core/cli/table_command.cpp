#include <algorithm>
#include <cstdio>
#include <set>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "cli/study_files.h"
#include "cli/table_outputs.h"
#include "cli/tables_file.h"
#include "env/files.h"
#include "report/comparison_identity.h"
#include "report/table_figures.h"
#include "report/table_page.h"
#include "report/text_table.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

Result<TableForm> form_of(const CommandOptions& options) {
  if (options.has("csv")) return TableForm::csv;
  if (options.has("json")) return TableForm::json;
  if (options.has("output") && !options.has("format")) return form_of_file(options.get("output"));
  const std::string name = options.get("format", "text");
  if (const auto form = table_form(name)) return *form;
  return error("LB0001", "`lowbit table` has no format `" + name + "`").fix("use text, md, latex, html, csv or json");
}

/// Options of the table, which a run does not have.
const std::set<std::string> kOwnOptions{"file",   "name",  "format",    "csv",         "json",  "strict",
                                        "output", "whole", "published", "comparisons", "write", "check"};

/// Everything that a table is printed from.
class TablePrinter {
 public:
  TablePrinter(const CommandOptions& options, LoadedTables tables, exec::ProjectPaths project, StudyResults study)
      : options_(options),
        tables_(std::move(tables)),
        project_(std::move(project)),
        study_(std::move(study)),
        published_wanted_(options.has("published")) {}

  [[nodiscard]] const std::vector<TableSpec>& all() const { return tables_.tables.tables; }
  [[nodiscard]] fs::path beside(const Text& file) const { return tables_.file.parent_path() / file.value; }
  [[nodiscard]] bool missing() const { return missing_; }

  /// `rerun`: the command that makes what is missing.
  Result<std::string> print(const TableSpec& table, TableForm form, const std::string& rerun) {
    LB_TRY_ASSIGN(const auto sources, report::find_sources(table, study_));
    LB_TRY(store::read_metrics(project_.database(), report::results_of(sources), study_));
    LB_TRY_ASSIGN(const Answers answers,
                  store::answers_of(project_.database(), report::results_with_answers(table, sources)));
    LB_TRY_ASSIGN(const report::MeasuredTable measured, report::measure(table, sources, answers));
    LB_TRY_ASSIGN(const std::optional<PublishedFigures> published, published_of(table));
    const PublishedFigures* const beside = published ? &*published : nullptr;
    missing_ = missing_ || !measured.missing.empty();
    if (form == TableForm::csv || form == TableForm::json) {
      const auto style = form == TableForm::csv ? report::TableFormat::csv : report::TableFormat::json;
      const bool comparisons = options_.has("comparisons");
      return report::render(
          comparisons ? report::comparisons(table, measured) : report::figures(table, measured, beside), style);
    }
    const report::PageFormat page = form == TableForm::markdown ? report::PageFormat::markdown
                                    : form == TableForm::latex  ? report::PageFormat::latex
                                    : form == TableForm::html   ? report::PageFormat::html
                                                                : report::PageFormat::text;
    LB_TRY_ASSIGN(const StudyRecipes recipes, recipes_for(table));
    report::Identity identity(study_, recipes, answers);
    const report::PrintContext context{.rerun = rerun,
                                       .command = "lowbit table " + in_project(tables_.file) + " " + table.name.value +
                                                  (published_wanted_ ? " --published" : ""),
                                       .published = beside,
                                       .identity = recipes.empty() ? nullptr : &identity};
    return report::render(report::print(table, measured, context), page, options_.has("whole"));
  }

  [[nodiscard]] std::string rerun_here() const { return run_again(project_, study_, options_, kOwnOptions); }
  [[nodiscard]] std::string rerun_in_project() const { return "lowbit run " + shell_word(study_.file); }

 private:
  /// Empty where nothing is ranked.
  [[nodiscard]] Result<StudyRecipes> recipes_for(const TableSpec& table) const {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (table.ranks(c)) return store::study_recipes(project_.database(), study_);
    }
    return StudyRecipes();
  }

  [[nodiscard]] std::string in_project(const fs::path& file) const {
    const auto there = env::absolute(file);
    return shell_word(there.ok() ? there->lexically_proximate(project_.root).string() : file.string());
  }

  [[nodiscard]] Result<std::optional<PublishedFigures>> published_of(const TableSpec& table) const {
    if (!published_wanted_) return std::optional<PublishedFigures>();
    LB_TRY_ASSIGN(PublishedFigures figures, load_published(tables_, table));
    return std::optional(std::move(figures));
  }

  const CommandOptions& options_;
  LoadedTables tables_;
  exec::ProjectPaths project_;
  StudyResults study_;
  bool published_wanted_;
  bool missing_ = false;
};

/// Writes the files that are kept as tables are, or says which are not. The exit status.
Result<int> keep_outputs(TablePrinter& printer, const std::string& name, bool check) {
  std::size_t n = 0;
  std::size_t n_stale = 0;
  for (const TableSpec& table : printer.all()) {
    if (!name.empty() && table.name.value != name) continue;
    for (const Text& output : table.outputs) {
      ++n;
      const fs::path file = printer.beside(output);
      LB_TRY_ASSIGN(const TableForm form, form_of_file(file));
      LB_TRY_ASSIGN(const std::string text, printer.print(table, form, printer.rerun_in_project()));
      LB_TRY_ASSIGN(const std::string wanted, file_with_table(file, table.name.value, text));
      LB_TRY_ASSIGN(const std::string stale, stale_at(file, wanted));
      n_stale += stale.empty() ? 0U : 1U;
      if (check && !stale.empty()) {
        std::fputs(("stale  " + file.string() + "  table " + table.name.value + ": " + stale + "\n").c_str(), stdout);
      }
      if (!check && !stale.empty()) LB_TRY(env::write_file_durably(file, wanted));
      if (!check) std::fputs(((stale.empty() ? "same     " : "written  ") + file.string() + "\n").c_str(), stdout);
    }
  }
  if (n == 0) {
    return error("LB0007", "no table " + (name.empty() ? "of the file" : ticked(name)) + " has files to keep")
        .fix("name them in the table: `outputs: [paper/main.tex]`");
  }
  if (check) {
    std::fputs((std::to_string(n - n_stale) + " of " + std::to_string(n) + (n == 1 ? " file is" : " files are") +
                " as the results say" + (n_stale > 0 ? "; write the others with --write" : "") + "\n")
                   .c_str(),
               stdout);
  }
  return check && n_stale > 0 ? 1 : 0;
}

}  // namespace

Result<int> table_command(const Words& words) {
  CommandOptions options("table");
  options.argument("file", "a tables file, or the experiment or directory it stands beside (docs/tables.md)", true)
      .argument("name", "which of its tables, when there are several", false)
      .text("format,f", "text (default), md, latex, html, csv or json; csv and json are not rounded")
      .flag("csv", "the same as --format csv")
      .flag("json", "the same as --format json")
      .text("output,o", "write to this file, in the form that its name ends in")
      .flag("whole", "of latex and html a document of its own")
      .flag("published", "beside our figures those that the source paper prints (published.csv)")
      .flag("comparisons", "of csv and json the comparisons, not the figures")
      .flag("write", "write the files that the tables name under `outputs`")
      .flag("check", "exit with 1 when one of those files is not what the results say")
      .flag("strict", "exit with 1 when a result is missing")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const TableForm form, form_of(options));
  LB_TRY_ASSIGN(LoadedTables tables, load_tables(options.get("file")));
  const std::string name = options.get("name");
  const bool keep = options.has("write") || options.has("check");
  if (!keep || !name.empty()) LB_TRY(the_table(tables.tables, name));
  LB_TRY_ASSIGN(exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(StudyResults study, load_study(project.database(), tables.tables.experiment));
  TablePrinter printer(options, std::move(tables), std::move(project), std::move(study));
  if (keep) {
    LB_TRY_ASSIGN(const int status, keep_outputs(printer, name, options.has("check")));
    return options.has("strict") && printer.missing() ? 1 : status;
  }
  const TableSpec& table = name.empty() ? printer.all().front()
                                        : *std::find_if(printer.all().begin(), printer.all().end(),
                                                        [&](const TableSpec& t) { return t.name.value == name; });
  const std::string rerun = printer.rerun_here();
  LB_TRY_ASSIGN(const std::string text, printer.print(table, form, rerun));
  if (options.has("output")) {
    LB_TRY(env::write_file_durably(options.get("output"), text));
  } else {
    std::fputs(text.c_str(), stdout);
  }
  const bool figures = form == TableForm::csv || form == TableForm::json;
  if (figures && printer.missing()) {
    std::fputs(("results are missing; make them with: " + rerun + "\n").c_str(), stderr);
  }
  return options.has("strict") && printer.missing() ? 1 : 0;
}

}  // namespace lowbit::cli
