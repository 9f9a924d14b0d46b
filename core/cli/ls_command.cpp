#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "report/text_table.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

constexpr const char* kExperiments =
    "SELECT x.experiment, x.file, count(*) AS variants, sum(v.state = 'done') AS done, sum(v.state = 'running') AS "
    "running, sum(v.state IN ('failed', 'lost', 'cancelled')) AS failed, sum(v.state = 'never') AS never, "
    "x.expanded_at "
    "FROM experiments x JOIN v_stages v ON v.experiment = x.experiment GROUP BY x.experiment ORDER BY x.experiment";

// What a run did: its attempts by how they ended.
constexpr const char* kRuns =
    "SELECT 'run:' || r.run_id AS run, r.experiment, coalesce(r.outcome, 'open') AS outcome, r.started_at, "
    "round((julianday(r.ended_at) - julianday(r.started_at)) * 86400, 1) AS seconds, "
    "(SELECT count(*) FROM attempts a WHERE a.run_id = r.run_id AND a.state = 2) AS done, "
    "(SELECT count(*) FROM attempts a WHERE a.run_id = r.run_id AND a.state > 2) AS failed, r.command "
    "FROM runs r ORDER BY r.run_id DESC";

constexpr const char* kSome = " LIMIT 20";

}  // namespace

Result<int> ls_command(const Words& words) {
  CommandOptions options("ls");
  options.argument("what", "experiments or runs (default: both)", false)
      .flag("all", "all runs, not the last 20")
      .flag("json", "rows as JSON")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::string what = options.get("what");
  if (!what.empty() && what != "experiments" && what != "runs") {
    return error("LB0001", "`lowbit ls` lists experiments or runs, not " + what).fix("see `lowbit ls --help`");
  }
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(const QueryResult experiments, store::query_sqlite(project.database(), kExperiments));
  LB_TRY_ASSIGN(const QueryResult runs,
                store::query_sqlite(project.database(), std::string(kRuns) + (options.has("all") ? "" : kSome)));
  if (options.has("json")) {
    const auto rows = [](const QueryResult& table) {
      return Json::parse(report::render(table, report::TableFormat::json));
    };
    const Json json = what == "experiments" ? rows(experiments)
                      : what == "runs"      ? rows(runs)
                                            : Json{{"experiments", rows(experiments)}, {"runs", rows(runs)}};
    print_json(json);
    return 0;
  }
  if (what != "runs") std::fputs(report::render(experiments, report::TableFormat::columns).c_str(), stdout);
  if (what.empty()) std::fputs("\n", stdout);
  if (what != "experiments") std::fputs(report::render(runs, report::TableFormat::columns).c_str(), stdout);
  return 0;
}

}  // namespace lowbit::cli
