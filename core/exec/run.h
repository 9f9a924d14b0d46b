// One `lowbit run`: recover, plan, do what is missing.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "exec/machine.h"
#include "exec/project.h"
#include "exec/recover.h"
#include "exec/scheduler.h"
#include "graph/expanded_graph.h"
#include "graph/plan.h"

namespace lowbit::exec {

struct RunRequest {
  std::filesystem::path program;          ///< the lowbit binary that runs the jobs
  std::filesystem::path experiment_file;  ///< external inputs are relative to its directory
  std::string command;                    ///< as typed, for the record
  std::string options;                    ///< those of it that change the experiment, as a shell takes them
  std::string experiment_text;            ///< of the experiment's file
  MachineLimits machine;                  ///< what its jobs may use
  bool fail_fast = false;                 ///< after the first failure nothing new starts
  graph::PlanOptions plan;
  graph::PluginDigests plugins;
  std::string version;                        ///< of lowbit, for the record
  std::map<std::string, std::string> builds;  ///< what plugins say of how they were built, by stage id, likewise
  std::function<std::filesystem::path(const std::string& stage_id)> library_of;
  /// Chooses what runs of what the plan does not reuse (SchedulerOptions::only); empty: all of it.
  std::function<std::set<graph::VariantIndex>(const graph::Plan& plan)> only;
};

/// What a person is told between the parts.
class RunReporter : public RunObserver {
 public:
  virtual void on_recovery(const Recovery& recovery) = 0;
  virtual void on_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan) = 0;
  /// Every `tick()` while the run goes on and once when it has ended, on the loop's thread; never when `tick()` is 0.
  virtual void on_tick(const Snapshot& /*now*/) {}
  [[nodiscard]] virtual std::chrono::milliseconds tick() const { return {}; }
};

/// A run at the moment before its first job: what the last host left is in order, the plan is made and shown, the
/// expansion is recorded.
struct ReadyRun {
  std::vector<Adopted> adopted;
  graph::Plan plan;
  bool nothing_to_do = false;
  RunSummary settled;  ///< what the plan alone decides
  RunFiles files;      ///< this and `options` only where there is something to do
  SchedulerOptions options;
};

/// Errors as run().
[[nodiscard]] Result<ReadyRun> ready_run(WritableProject& project, const graph::ExpandedGraph& graph,
                                         const RunRequest& request, RunReporter& reporter);

/// Records how a run ended and, where a gate closed on the way, what the stages behind it are known by from now on.
[[nodiscard]] Result<void> end_run(WritableProject& project, const graph::ExpandedGraph& graph,
                                   const RunRequest& request, const graph::ExternalDigests& externals, std::int64_t run,
                                   const RunSummary& summary);

/// LB4110: a stage that would run asks for more than the machine has.
/// SIGINT or SIGTERM stops cleanly (running jobs are asked to stop, their checkpoints stay); a second one returns at
/// once and leaves the jobs to the next run. REQUIRES: one call at a time per process.
[[nodiscard]] Result<RunSummary> run(WritableProject& project, const graph::ExpandedGraph& graph,
                                     const RunRequest& request, RunReporter& reporter);

/// Plans without running. `store` may be read-only. What this machine could not run is among the plan's notices.
[[nodiscard]] Result<graph::Plan> plan(const store::Store& store, const graph::ExpandedGraph& graph,
                                       const RunRequest& request);

}  // namespace lowbit::exec
