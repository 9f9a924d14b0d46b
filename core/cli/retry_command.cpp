#include <algorithm>
#include <cstdio>
#include <set>

#include "base/utf8.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/run_experiment.h"
#include "cli/session.h"
#include "env/fault.h"
#include "exec/local/control_socket.h"
#include "graph/selection.h"
#include "store/project_facts.h"

namespace lowbit::cli {
namespace {

/// Labels of the experiment's last expansion whose last attempt failed, was cancelled or lost; of `cause` if not empty.
Result<std::set<std::string>> failed_labels(const exec::ProjectPaths& project, const std::string& experiment,
                                            const std::string& cause) {
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::vector<VariantLine> variants, facts.variants(experiment));
  std::set<std::string> labels;
  for (const VariantLine& variant : variants) {
    if (variant.state != "failed" && variant.state != "cancelled" && variant.state != "lost") continue;
    if (cause.empty() || variant.cause == cause) labels.insert(variant.label);
  }
  return labels;
}

/// Whether a variant is among those that were named, by its label or by its stage; all are where none was.
bool is_named(const graph::Variant& variant, const std::vector<std::string>& names) {
  return names.empty() || std::find(names.begin(), names.end(), variant.stage) != names.end() ||
         std::find(names.begin(), names.end(), variant.label()) != names.end();
}

Diagnostics unknown_names(const graph::ExpandedGraph& graph, const std::vector<std::string>& names) {
  Diagnostics problems;
  std::vector<std::string> known;
  for (const graph::Variant& variant : graph.variants) {
    known.push_back(variant.stage);
    known.push_back(variant.label());
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    Diagnostic problem = error("LB0003", "there is no stage " + name + " to retry");
    if (const std::string near = nearest(name, known); !near.empty()) {
      problem.note("a stage with a similar name exists: " + near);
    }
    problems.push_back(problem.fix("`lowbit status --failed` lists what failed"));
  }
  return problems;
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
  options.arguments("stage", "only what failed of these: stages, or variants such as 'quantize[num_bits=3]'", false);
  options.flag("failed", "what failed, was cancelled or lost, and what that blocked")
      .text("cause", "only what failed because of: stage, resource, preempted, timeout, cancelled, transient, stalled")
      .flag("strict", "results of a plugin file that changed without a new version are stale")
      .number("jobs,j", "busy threads of all jobs together (default: all processors)")
      .flag("plain", "lines instead of a live display")
      .flag("json", "events as JSON lines on stdout");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::vector<std::string> names = options.all("stage");
  if (!options.has("failed") && names.empty()) {
    return error("LB0001", "`lowbit retry` needs --failed or the names of stages")
        .fix("`lowbit run FILE` does everything that is missing");
  }
  const std::string cause = options.get("cause");
  if (!cause.empty() && !exec::failure_cause(cause)) return no_such_cause(cause);
  LB_TRY_ASSIGN(const Experiment experiment, load_experiment(options));

  if (Diagnostics problems = unknown_names(experiment.graph, names); !problems.empty()) return problems;

  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  const auto handed_over = exec::ask_host(
      project,
      {{"request", "retry"}, {"experiment", experiment.graph.experiment}, {"cause", cause}, {"labels", names}});
  if (handed_over.ok()) {
    const Json labels = handed_over->value("labels", Json::array());
    if (options.has("json")) {
      std::printf("%s\n", canonical(*handed_over).c_str());
      return 0;
    }
    if (labels.empty()) return nothing_failed("nothing failed so in the live run");
    for (const Json& label : labels) std::printf("again  %s\n", printable(label.get<std::string>()).c_str());
    return 0;
  }
  if (handed_over.error().front().code != "LB0030") return handed_over.error();

  env::set_fault_role(env::ProcessRole::host);
  LB_TRY(require_results(project));
  LB_TRY_ASSIGN(const std::set<std::string> failed, failed_labels(project, experiment.graph.experiment, cause));
  std::set<graph::VariantIndex> chosen;
  for (graph::VariantIndex i = 0; i < experiment.graph.variants.size(); ++i) {
    const graph::Variant& variant = experiment.graph.variants[i];
    if (failed.contains(variant.label()) && is_named(variant, names)) chosen.insert(i);
  }
  if (chosen.empty()) {
    const std::string asked = names.empty() ? experiment.graph.experiment : joined(names);
    return nothing_failed("nothing of " + asked + " failed" + (cause.empty() ? "" : " because of " + cause));
  }
  exec::RunRequest request = run_request(experiment, options);
  request.command.replace(0, std::string_view("lowbit run").size(), "lowbit retry");
  request.machine.cpus = options.get_number("jobs").value_or(0);
  request.only = [&](const graph::Plan& plan) { return graph::with_dependants(experiment.graph, plan, chosen); };
  return run_to_end(experiment, request, options);
}

}  // namespace lowbit::cli
