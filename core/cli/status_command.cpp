#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "report/text_table.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

constexpr std::array<const char*, 7> kStates{"done", "gated", "running", "failed", "cancelled", "lost", "never"};

std::string text_of(const std::optional<Json>& cell) { return cell ? scalar_text(*cell) : std::string(); }

/// Rows: one per stage with a count for each state.
QueryResult count_by_state(const QueryResult& stages) {
  QueryResult table{.columns = {"experiment", "stage"}, .rows = {}};
  table.columns.insert(table.columns.end(), kStates.begin(), kStates.end());
  std::vector<std::pair<std::string, std::string>> order;
  std::map<std::pair<std::string, std::string>, std::map<std::string, int>> counts;
  for (const auto& row : stages.rows) {
    const std::pair key{text_of(row[0]), text_of(row[1])};
    if (!counts.contains(key)) order.push_back(key);
    ++counts[key][text_of(row[3])];
  }
  for (const auto& key : order) {
    std::vector<std::optional<Json>> row{Json(key.first), Json(key.second)};
    for (const char* state : kStates) {
      const int count = counts[key][state];
      row.push_back(count == 0 ? std::optional<Json>(Json("")) : std::optional<Json>(Json(count)));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

Result<int> status_command(const Words& words) {
  CommandOptions options("status");
  options.flag("failed", "only what failed, with the reason")
      .flag("json", "one row per variant as JSON")
      .text("project,C", "the project's directory");
  LB_TRY(options.read(words));
  if (options.help_wanted()) {
    std::fputs(options.help().c_str(), stdout);
    return 0;
  }
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options.get("project")));
  std::string sql =
      "SELECT experiment, stage, label, "
      "CASE WHEN state = 'done' AND failure IS NOT NULL THEN 'gated' ELSE state END AS state, seconds, failure "
      "FROM v_stages";
  if (options.has("failed")) sql += " WHERE state IN ('failed', 'lost', 'cancelled') OR failure IS NOT NULL";
  LB_TRY_ASSIGN(const QueryResult stages, store::query_sqlite(project.database(), sql));
  if (options.has("json")) {
    std::fputs(report::render(stages, report::TableFormat::json).c_str(), stdout);
    return 0;
  }
  if (!options.has("failed")) {
    std::fputs(report::render(count_by_state(stages), report::TableFormat::text).c_str(), stdout);
  }
  for (const auto& row : stages.rows) {
    const std::string state = text_of(row[3]);
    if (state != "failed" && state != "gated" && state != "lost" && state != "cancelled") continue;
    const std::string label = text_of(row[2]);
    std::printf("%s: %s  %s   lowbit logs '%s'\n", state.c_str(), label.c_str(), text_of(row[5]).c_str(),
                label.c_str());
  }
  return 0;
}

}  // namespace lowbit::cli
