#include <algorithm>
#include <cstdio>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "cli/study_files.h"
#include "env/files.h"
#include "report/measured_text.h"
#include "report/text_table.h"
#include "spec/experiment_reader.h"
#include "spec/table_reader.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

enum class Format { text, markdown, csv, json };

Result<Format> format_of(const CommandOptions& options) {
  if (options.has("csv")) return Format::csv;
  if (options.has("json")) return Format::json;
  const std::string name = options.get("format", "text");
  if (name == "text") return Format::text;
  if (name == "md") return Format::markdown;
  if (name == "csv") return Format::csv;
  if (name == "json") return Format::json;
  return error("LB0001", "`lowbit table` has no format `" + name + "`").fix("use text, md, csv or json");
}

/// A directory and an experiment stand for the tables.yaml of the same place.
Result<TablesFile> load_tables(const fs::path& written) {
  const bool directory = env::is_directory(written);
  LB_TRY_ASSIGN(std::shared_ptr<const SourceText> source,
                load_spec_text("tables", directory ? written / "tables.yaml" : written));
  if (!directory && spec::is_experiment(source)) {
    LB_TRY_ASSIGN(source, load_spec_text("tables", written.parent_path() / "tables.yaml"));
  }
  return spec::read_tables(source);
}

Result<TableSpec> the_table(const TablesFile& file, const std::string& name) {
  if (name.empty() && file.tables.size() == 1) return file.tables.front();
  std::vector<std::string> names;
  for (const TableSpec& table : file.tables) {
    if (table.name.value == name) return table;
    names.push_back(table.name.value);
  }
  Diagnostic problem =
      error("LB0007", name.empty() ? "the file has several tables" : "there is no table `" + name + "`");
  problem.note("its tables: " + joined(names));
  const std::string near = nearest(name, names);
  return problem.fix(near.empty() ? "name one of them after the file"
                                  : "a table with a similar name exists: `" + near + "`");
}

}  // namespace

Result<int> table_command(const Words& words) {
  CommandOptions options("table");
  options.argument("file", "a tables file, or the experiment or directory it stands beside (docs/tables.md)", true)
      .argument("name", "which of its tables, when there are several", false)
      .text("format,f", "text (default), md, csv or json; csv and json are not rounded")
      .flag("csv", "the same as --format csv")
      .flag("json", "the same as --format json")
      .flag("strict", "exit with 1 when a result is missing")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const Format format, format_of(options));
  LB_TRY_ASSIGN(const TablesFile file, load_tables(options.get("file")));
  LB_TRY_ASSIGN(const TableSpec table, the_table(file, options.get("name")));
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const StudyResults study, load_study(project.database(), file.experiment));
  LB_TRY_ASSIGN(const auto sources, report::find_sources(table, study));
  LB_TRY_ASSIGN(const Answers answers,
                store::answers_of(project.database(), report::results_with_answers(table, sources)));
  LB_TRY_ASSIGN(const report::MeasuredTable measured, report::measure(table, sources, answers));

  const std::string rerun = run_again(project, study, options, {"file", "name", "format", "csv", "json", "strict"});
  if (format == Format::csv || format == Format::json) {
    const auto style = format == Format::csv ? report::TableFormat::csv : report::TableFormat::json;
    std::fputs(report::render(report::figures(table, measured), style).c_str(), stdout);
    if (!measured.missing.empty()) std::fputs(("results are missing; make them with: " + rerun + "\n").c_str(), stderr);
  } else {
    const auto page = format == Format::text ? report::PageFormat::text : report::PageFormat::markdown;
    std::fputs(report::render(table, measured, rerun, page).c_str(), stdout);
  }
  return options.has("strict") && !measured.missing.empty() ? 1 : 0;
}

}  // namespace lowbit::cli
