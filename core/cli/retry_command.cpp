#include <algorithm>
#include <cstdio>
#include <set>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/run_experiment.h"
#include "cli/session.h"
#include "env/fault.h"
#include "exec/local/control_socket.h"
#include "graph/selection.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

/// Labels of the experiment's last expansion whose last attempt failed, was cancelled or lost; of `cause` if not empty.
Result<std::set<std::string>> failed_labels(const exec::ProjectPaths& project, const std::string& experiment,
                                            const std::string& cause) {
  LB_TRY_ASSIGN(const QueryResult rows,
                store::query_sqlite(project.database(),
                                    "SELECT v.experiment, v.label, json_extract(a.failure, '$.cause') FROM v_stages v "
                                    "JOIN attempts a ON a.attempt_id = v.attempt_id "
                                    "WHERE v.state IN ('failed', 'cancelled', 'lost')"));
  std::set<std::string> labels;
  for (const auto& row : rows.rows) {
    if (*row[0] != experiment) continue;
    if (!cause.empty() && (!row[2] || *row[2] != cause)) continue;
    labels.insert(row[1]->get<std::string>());
  }
  return labels;
}

Diagnostic no_such_cause(const std::string& cause) {
  return error("LB0034", "a stage never fails because of `" + cause + "`")
      .note("causes are stage, resource, preempted, timeout, cancelled, transient and stalled")
      .fix("`lowbit status --failed` shows what failed; leave --cause out to retry all of it");
}

int nothing_failed(const std::string& where) {
  std::printf("nothing to retry: %s\n", where.c_str());
  return 0;
}

}  // namespace

Result<int> retry_command(const Words& words) {
  CommandOptions options("retry");
  add_experiment_options(options);
  options.flag("failed", "what failed, was cancelled or lost, and what that blocked")
      .text("cause", "only what failed because of: stage, resource, preempted, timeout, cancelled, transient, stalled")
      .flag("strict", "results of a plugin file that changed without a new version are stale")
      .number("jobs,j", "busy threads of all jobs together (default: all processors)")
      .flag("plain", "lines instead of a live display")
      .flag("json", "events as JSON lines on stdout");
  LB_TRY(options.read(words));
  if (options.help_wanted()) {
    std::fputs(options.help().c_str(), stdout);
    return 0;
  }
  if (!options.has("failed")) {
    return error("LB0001", "`lowbit retry` needs --failed").fix("`lowbit run FILE` does everything that is missing");
  }
  const std::string cause = options.get("cause");
  if (!cause.empty() && !exec::is_failure_cause(cause)) return no_such_cause(cause);
  LB_TRY_ASSIGN(const Experiment experiment, load_experiment(options));

  const auto handed_over = exec::ask_host(
      project_of(options), {{"request", "retry"}, {"experiment", experiment.graph.experiment}, {"cause", cause}});
  if (handed_over.ok()) {
    const Json labels = handed_over->value("labels", Json::array());
    if (options.has("json")) {
      std::printf("%s\n", canonical(*handed_over).c_str());
      return 0;
    }
    if (labels.empty()) return nothing_failed("nothing failed so in the live run");
    for (const Json& label : labels) std::printf("again  %s\n", label.get<std::string>().c_str());
    return 0;
  }
  if (handed_over.error().front().code != "LB0030") return handed_over.error();

  env::set_fault_role(env::ProcessRole::host);
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options.get("project")));
  LB_TRY_ASSIGN(const std::set<std::string> failed, failed_labels(project, experiment.graph.experiment, cause));
  std::set<graph::VariantIndex> chosen;
  for (graph::VariantIndex i = 0; i < experiment.graph.variants.size(); ++i) {
    if (failed.contains(experiment.graph.variants[i].label())) chosen.insert(i);
  }
  if (chosen.empty()) {
    return nothing_failed("nothing of " + experiment.graph.experiment + " failed" +
                          (cause.empty() ? "" : " because of " + cause));
  }
  exec::RunRequest request = run_request(experiment, options);
  request.command =
      "lowbit retry " + experiment.written_file + " --failed" + (cause.empty() ? "" : " --cause " + cause);
  request.cpus = options.get_number("jobs").value_or(0);
  request.only = [&](const graph::Plan& plan) { return graph::with_dependants(experiment.graph, plan, chosen); };
  return run_to_end(experiment, request, options);
}

}  // namespace lowbit::cli
