// Runs what a plan says is missing. One thread, woken by events: a producer that settles, a job that ends.
// The scheduler never asks whether something should run: that is graph::make_plan's and, once inputs are known,
// graph::content_key_for's word. How each variant stands is exec/variant_states.h, what is to be made and what goes
// first exec/work_list.h, what fits exec/resource_pool.h, what is tried again exec/retry.h, what a job is
// exec/running_job.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "exec/control.h"
#include "exec/executor.h"
#include "exec/loop.h"
#include "exec/new_attempt.h"
#include "exec/project.h"
#include "exec/publish.h"
#include "exec/recover.h"
#include "exec/resource_pool.h"
#include "exec/running_job.h"
#include "exec/variant_states.h"
#include "exec/work_list.h"
#include "graph/plan.h"

namespace lowbit::exec {

/// Something a person may want to see. `label` is the stage's.
struct Event {
  enum class Kind {
    started,
    resumed,
    adopted,
    done,
    cut_off,
    failed,
    retrying,
    cancelled,
    blocked,
    reopened,  ///< had failed or was blocked, and waits anew because a person asked for it
    progress,
    notice,
    stalled,
    gated
  };
  Kind kind = Kind::started;
  std::string label;
  std::string text;  ///< what a line should add: seconds, reason, position
  Json failure;      ///< failed: the failure; progress: the record; stalled: {"seconds","position"}
};

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_event(const Event& event) = 0;
};

struct RunSummary : SettledCounts {
  std::size_t not_started = 0;  ///< left out after the first failure (SchedulerOptions::fail_fast)
  bool interrupted = false;
  Diagnostics machine;  ///< what stopped the host itself: full disk, lost lease
};

struct SchedulerOptions {
  Capacity capacity;        ///< of all jobs together
  DurationHistory history;  ///< what earlier results took
  bool fail_fast = false;   ///< after the first failure nothing new starts; what runs is finished
  graph::PlanOptions plan;  ///< those the plan was made with
  std::int64_t run = 0;     ///< row of this run
  std::function<Result<std::filesystem::path>(const std::string& nonce)> socket_path;
  /// Of what the plan does not reuse, only these run; with each, what it needs and the plan does not reuse. None: all.
  std::optional<std::set<graph::VariantIndex>> only;
};

class Scheduler : public Controlled {
 public:
  /// Everything referred to outlives the scheduler. `finished` is called once, on the loop's thread.
  /// REQUIRES: no variant that may run is beyond the capacity (impossible_demands(), exec/machine.h).
  Scheduler(const graph::ExpandedGraph& graph, const graph::Plan& plan, WritableProject& project, Executor& executor,
            Loop& loop, RunObserver& observer, RunFiles files, SchedulerOptions options,
            std::function<void()> finished);

  void start(const std::vector<Adopted>& adopted);
  /// Nothing new starts, running jobs are asked to stop. Their checkpoints stay.
  void interrupt() override;
  [[nodiscard]] Snapshot snapshot() const override;
  bool cancel(graph::VariantIndex variant) override;
  std::vector<graph::VariantIndex> retry(const std::string& cause, const std::set<graph::VariantIndex>& only) override;
  [[nodiscard]] RunSummary summary() const;

 private:
  using Index = graph::VariantIndex;

  void adopt(const Adopted& adopted);
  void make_ready(Index index);
  [[nodiscard]] bool cut_off(graph::PlannedVariant known);
  void settle_with_result(Index index, const StageResult& result, VariantState how);
  void dispatch();
  void launch(Index index);
  void note_seconds(const std::string& stage, double seconds);
  [[nodiscard]] bool is_brief(const std::string& stage) const;
  void on_end(const JobPtr& job);
  void on_checked(const JobPtr& job, Result<std::variant<CheckedResult, Failure>> outcome);
  void on_failure(const JobPtr& job, Failure failure);
  void publish_ready();
  void publish_group(bool replace, std::vector<std::pair<JobPtr, store::Publication>> group);
  struct Group {
    std::vector<JobPtr> jobs;
    std::vector<CheckedResult> results;  ///< of the jobs, in their order
  };
  void on_moved(Group& group, const Result<void>& moved);
  [[nodiscard]] bool is_tried_again(const RunningJob& job, const Work& work, FailureCause cause, ExitKind ended) const;
  void retry_later(const Digest& content_key, Work work);
  void poll_progress();
  void look_for_stall(const JobPtr& job);
  void give_up(const Diagnostics& problems);
  void finish_if_idle();
  void finish();
  void tell(Event::Kind kind, const std::string& label, std::string text = {}, Json failure = {});

  const graph::ExpandedGraph& graph_;
  const graph::Plan& plan_;
  WritableProject& project_;
  Executor& executor_;
  Loop& loop_;
  RunObserver& observer_;
  RunFiles files_;
  SchedulerOptions options_;
  std::function<void()> finished_;

  VariantStates states_;
  ResourcePool pool_;
  WorkList works_;
  std::map<std::string, JobPtr> running_;  ///< by nonce
  Group to_publish_;
  std::map<std::string, double> longest_seconds_;        ///< of the jobs that ended well in this run, by stage
  std::vector<std::filesystem::path> used_directories_;  ///< for new_attempt()
  bool publish_scheduled_ = false;                       ///< or under way: what comes meanwhile is the next group
  std::size_t unchecked_ = 0;                            ///< jobs that have ended, and of which it is not known yet how
  std::size_t waiting_for_retry_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool stopping_ = false;
  bool done_ = false;
  std::size_t not_started_ = 0;
  bool interrupted_ = false;
  Diagnostics machine_problems_;
};

}  // namespace lowbit::exec
