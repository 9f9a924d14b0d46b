#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/cost_history.h"
#include "cli/decisions_note.h"
#include "cli/live_display.h"
#include "cli/machine_options.h"
#include "cli/plan_output.h"
#include "cli/run_experiment.h"
#include "cli/run_reporter.h"
#include "cli/session.h"
#include "env/fault.h"

namespace lowbit::cli {
namespace {

using namespace std::chrono_literals;

bool held_by_another(const Diagnostics& problems) { return problems.front().code == "LB4101"; }

Result<exec::WritableProject> open_project(const exec::ProjectPaths& paths, bool wait) {
  bool told = false;
  for (;;) {
    auto project = exec::WritableProject::open(paths);
    if (project.ok() || !wait || !held_by_another(project.error())) return project;
    if (!told) std::fprintf(stderr, "%swaiting for it\n", render(project.error()).c_str());
    told = true;
    std::this_thread::sleep_for(500ms);
  }
}

Result<void> check_forced(const graph::ExpandedGraph& graph, const std::vector<std::string>& forced) {
  std::vector<std::string> stages;
  for (const graph::Variant& variant : graph.variants) stages.push_back(variant.stage);
  for (const std::string& stage : forced) {
    if (std::find(stages.begin(), stages.end(), stage) != stages.end()) continue;
    Diagnostic problem = error("LB0003", "there is no stage " + stage + " to force");
    if (const std::string near = nearest(stage, stages); !near.empty()) {
      problem.note("a stage with a similar name exists: " + near);
    }
    return problem.fix("--force takes the id of a stage; `lowbit plan` lists them");
  }
  return {};
}

int exit_status(const exec::RunSummary& summary) {
  if (!summary.machine.empty()) return exit_code(summary.machine);
  if (summary.interrupted) return 130;
  const auto not_done = summary.failed + summary.blocked + summary.cancelled + summary.gated + summary.behind_gate;
  return not_done > 0 ? 1 : 0;
}

}  // namespace

Result<int> run_to_end(const Experiment& experiment, const exec::RunRequest& request, const CommandOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  LB_TRY_ASSIGN(const exec::ProjectPaths paths, project_of(options));
  LB_TRY_ASSIGN(exec::WritableProject project, open_project(paths, options.has("wait")));
  note_newer_decisions(experiment, project.paths());
  exec::RunSummary summary;
  if (can_redraw() && !options.has("plain") && !options.has("json")) {
    LiveDisplay display(cost_history(project.paths()));
    LB_TRY_ASSIGN(summary, exec::run(project, experiment.graph, request, display));
    display.finish();
  } else {
    LineReporter reporter(options.has("json"));
    LB_TRY_ASSIGN(summary, exec::run(project, experiment.graph, request, reporter));
  }
  if (!summary.machine.empty()) std::fputs(render(summary.machine).c_str(), stderr);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::fprintf(stderr, "%s\n", summary_line(summary, seconds, continuing_command(options)).c_str());
  return exit_status(summary);
}

Result<int> run_command(const Words& words) {
  CommandOptions options("run");
  add_experiment_options(options);
  options.flag("dry-run,n", "print the plan and change nothing")
      .many("force,f", "run this stage even where a result exists; repeatable")
      .flag("strict", "results of a plugin file that changed without a new version are stale")
      .number("jobs,j", "busy threads of all jobs together (default: all processors)")
      .flag("fail-fast", "after the first failure start nothing new (default: go on with what does not need it)")
      .flag("wait", "wait when another lowbit works on this project")
      .flag("plain", "lines instead of a live display")
      .flag("json", "events as JSON lines on stdout");
  add_machine_options(options);
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  env::set_fault_role(env::ProcessRole::host);
  LB_TRY_ASSIGN(const Experiment experiment, load_experiment(options));
  LB_TRY(check_forced(experiment.graph, options.all("force")));
  exec::RunRequest request = run_request(experiment, options);
  request.fail_fast = options.has("fail-fast");
  LB_TRY_ASSIGN(request.machine, machine_limits(options));
  request.machine.cpus = options.get_number("jobs").value_or(0);
  if (options.has("dry-run")) {
    LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
    LB_TRY_ASSIGN(const std::unique_ptr<store::Store> store, open_for_reading(project));
    LB_TRY_ASSIGN(const graph::Plan plan, exec::plan(*store, experiment.graph, request));
    print_plan(experiment.graph, plan, project, request.machine.cpus, options.has("json"));
    note_newer_decisions(experiment, project);
    return 0;
  }
  return run_to_end(experiment, request, options);
}

}  // namespace lowbit::cli
