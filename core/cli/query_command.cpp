#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "report/text_table.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {

Result<int> query_command(const Words& words) {
  CommandOptions options("query");
  options.argument("sql", "one SELECT; the views are v_results, v_agg, v_stages, v_flips, v_verdicts", false)
      .flag("csv", "comma-separated values")
      .flag("json", "one JSON array of objects")
      .flag("markdown", "a Markdown table")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string sql = options.get(
      "sql", "SELECT name AS view FROM sqlite_master WHERE type = 'view' AND name LIKE 'v_%' ORDER BY name");
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const QueryResult result, store::query_sqlite(project.database(), sql));
  report::TableFormat format = report::TableFormat::text;
  if (options.has("csv")) format = report::TableFormat::csv;
  if (options.has("json")) format = report::TableFormat::json;
  if (options.has("markdown")) format = report::TableFormat::markdown;
  std::fputs(report::render(result, format).c_str(), stdout);
  return 0;
}

}  // namespace lowbit::cli
