#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "report/text_table.h"
#include "store/project_facts.h"

namespace lowbit::cli {
namespace {

constexpr std::int64_t kSomeRuns = 20;

QueryResult table_of(const std::vector<ExperimentLine>& experiments) {
  QueryResult table{.columns = {"experiment", "file", "variants", "done", "running", "failed", "never", "expanded_at"},
                    .rows = {}};
  for (const ExperimentLine& line : experiments) {
    table.rows.push_back({Json(line.experiment), Json(line.file), Json(line.variants), Json(line.done),
                          Json(line.running), Json(line.failed), Json(line.never), Json(line.expanded_at)});
  }
  return table;
}

QueryResult table_of(const std::vector<RunLine>& runs) {
  QueryResult table{.columns = {"run", "experiment", "outcome", "started_at", "seconds", "done", "failed", "command"},
                    .rows = {}};
  for (const RunLine& line : runs) {
    table.rows.push_back({Json("run:" + std::to_string(line.run)), Json(line.experiment), Json(line.outcome),
                          Json(line.started_at), line.seconds ? std::optional<Json>(*line.seconds) : std::nullopt,
                          Json(line.done), Json(line.failed), Json(line.command)});
  }
  return table;
}

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
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::vector<ExperimentLine> experiment_lines, facts.experiments());
  LB_TRY_ASSIGN(const std::vector<RunLine> run_lines,
                facts.runs(options.has("all") ? std::nullopt : std::optional(kSomeRuns)));
  const QueryResult experiments = table_of(experiment_lines);
  const QueryResult runs = table_of(run_lines);
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
