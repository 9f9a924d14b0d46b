#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/cost_history.h"
#include "cli/decisions_note.h"
#include "cli/machine_options.h"
#include "cli/output.h"
#include "cli/plan_output.h"
#include "cli/session.h"
#include "env/process.h"
#include "graph/plan_text.h"

namespace lowbit::cli {

void print_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan, const exec::ProjectPaths& project,
                unsigned cpus, bool json) {
  if (cpus == 0) cpus = env::processors();
  const bool anything_runs = std::any_of(plan.variants.begin(), plan.variants.end(),
                                         [](const auto& planned) { return graph::may_run(planned.decision); });
  const graph::CostHistory history = anything_runs ? cost_history(project) : graph::CostHistory();
  const graph::PlanCost cost = graph::cost_of(graph, plan, history, cpus);
  if (json) {
    Json document = graph::plan_json(graph, plan);
    document["estimate"] = graph::cost_json(cost);
    print_json(document);
  } else {
    std::fputs((graph::plan_text(graph, plan) + graph::cost_text(cost, cpus)).c_str(), stdout);
  }
}

Result<int> plan_command(const Words& words) {
  CommandOptions options("plan");
  add_experiment_options(options);
  options.flag("check", "only check the file: no inputs are read, nothing is planned")
      .many("force,f", "plan as if this stage were forced")
      .flag("strict", "results of a plugin file that changed without a new version are stale")
      .flag("json", "one JSON document");
  add_machine_options(options);
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const Experiment experiment, load_experiment(options));
  if (options.has("check")) {
    std::printf("%s: %zu variants, no problems\n", experiment.written_file.c_str(), experiment.graph.variants.size());
    return 0;
  }
  exec::RunRequest request = run_request(experiment, options);
  LB_TRY_ASSIGN(request.machine, machine_limits(options));
  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  LB_TRY_ASSIGN(const std::unique_ptr<store::Store> store, open_for_reading(project));
  LB_TRY_ASSIGN(const graph::Plan plan, exec::plan(*store, experiment.graph, request));
  print_plan(experiment.graph, plan, project, 0, options.has("json"));
  note_newer_decisions(experiment, project);
  return 0;
}

}  // namespace lowbit::cli
