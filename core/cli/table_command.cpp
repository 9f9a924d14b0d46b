#include <algorithm>
#include <cstdio>
#include <set>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "cli/study_files.h"
#include "cli/study_tables.h"
#include "cli/table_outputs.h"
#include "env/files.h"
#include "report/table_page.h"
#include "report/text_table.h"

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

Result<std::string> text_of(StudyTables& tables, const TableSpec& table, TableForm form, const std::string& rerun,
                            const CommandOptions& options) {
  if (form == TableForm::csv || form == TableForm::json) {
    LB_TRY_ASSIGN(const QueryResult figures, tables.figures(table, options.has("comparisons")));
    return report::render(figures, form == TableForm::csv ? report::TableFormat::csv : report::TableFormat::json);
  }
  const report::PageFormat page = form == TableForm::markdown ? report::PageFormat::markdown
                                  : form == TableForm::latex  ? report::PageFormat::latex
                                  : form == TableForm::html   ? report::PageFormat::html
                                                              : report::PageFormat::text;
  LB_TRY_ASSIGN(const report::PrintedTable printed, tables.print(table, rerun));
  return report::render(printed, page, options.has("whole"));
}

/// Writes the files that are kept as tables are, or says which are not. The exit status.
Result<int> keep_outputs(StudyTables& tables, const std::string& name, const CommandOptions& options) {
  const bool check = options.has("check");
  // What is kept is the same wherever the command is typed.
  const std::string rerun = running_command(tables.study());
  std::size_t n = 0;
  std::size_t n_stale = 0;
  for (const TableSpec& table : tables.all()) {
    if (!name.empty() && table.name.value != name) continue;
    for (const Text& output : table.outputs) {
      ++n;
      const fs::path file = tables.beside(output);
      LB_TRY_ASSIGN(const TableForm form, form_of_file(file));
      LB_TRY_ASSIGN(const std::string text, text_of(tables, table, form, rerun, options));
      LB_TRY_ASSIGN(const std::string wanted, file_with_table(file, table.name.value, text));
      LB_TRY_ASSIGN(const std::string stale, stale_at(file, wanted));
      n_stale += stale.empty() ? 0U : 1U;
      if (check && !stale.empty()) {
        std::fputs(("stale  " + file.string() + "  table " + table.name.value + ": " + stale + "\n").c_str(), stdout);
      }
      if (!check && !stale.empty()) {
        if (file.has_parent_path()) LB_TRY(env::make_directories(file.parent_path()));
        LB_TRY(env::write_named_file(file, wanted));
      }
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
  LB_TRY_ASSIGN(LoadedTables loaded, load_tables(options.get("file")));
  const std::string name = options.get("name");
  const bool keep = options.has("write") || options.has("check");
  if (options.has("write") && options.has("check")) {
    return error("LB0001", "--write and --check exclude each other").fix("--check writes nothing; keep one of them");
  }
  if (!keep || !name.empty()) LB_TRY(the_table(loaded.tables, name));
  LB_TRY_ASSIGN(exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(StudyResults study, load_study(project.database(), loaded.tables.experiment));
  StudyTables tables(std::move(loaded), std::move(project), std::move(study), options.has("published"));
  if (keep) {
    LB_TRY_ASSIGN(const int status, keep_outputs(tables, name, options));
    return options.has("strict") && tables.missing() ? 1 : status;
  }
  const TableSpec& table = name.empty() ? tables.all().front()
                                        : *std::find_if(tables.all().begin(), tables.all().end(),
                                                        [&](const TableSpec& t) { return t.name.value == name; });
  const std::string rerun = run_again(tables.project(), tables.study(), options, kOwnOptions);
  LB_TRY_ASSIGN(const std::string text, text_of(tables, table, form, rerun, options));
  if (options.has("output")) {
    LB_TRY(env::write_named_file(options.get("output"), text));
  } else {
    std::fputs(text.c_str(), stdout);
  }
  const bool figures = form == TableForm::csv || form == TableForm::json;
  if (figures && tables.missing()) {
    std::fputs(("results are missing; make them with: " + rerun + "\n").c_str(), stderr);
  }
  return options.has("strict") && tables.missing() ? 1 : 0;
}

}  // namespace lowbit::cli
