// Runs what a plan says is missing. One thread, woken by events: a producer that settles, a job that ends.
// The scheduler never asks whether something should run: that is graph::make_plan's and, once inputs are known,
// graph::content_key_for's word.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
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
#include "exec/journal.h"
#include "exec/loop.h"
#include "exec/new_attempt.h"
#include "exec/project.h"
#include "exec/publish.h"
#include "exec/recover.h"
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
    notice
  };
  Kind kind = Kind::started;
  std::string label;
  std::string text;  ///< what a line should add: seconds, reason, position
  Json failure;      ///< failed only
};

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_event(const Event& event) = 0;
};

struct RunSummary {
  std::size_t reused = 0;
  std::size_t done = 0;     ///< ran and succeeded in this run
  std::size_t cut_off = 0;  ///< an input came out as it was before
  std::size_t failed = 0;
  std::size_t blocked = 0;  ///< not run because an input failed
  std::size_t cancelled = 0;
  bool interrupted = false;
  Diagnostics machine;  ///< what stopped the host itself: full disk, lost lease
};

struct SchedulerOptions {
  unsigned cpus = 1;        ///< busy threads of all jobs together
  graph::PlanOptions plan;  ///< those the plan was made with
  std::int64_t run = 0;     ///< row of this run
  std::function<Result<std::filesystem::path>(const std::string& nonce)> socket_path;
  /// Of what the plan does not reuse, only these run; with each, what it needs and the plan does not reuse. None: all.
  std::optional<std::set<graph::VariantIndex>> only;
};

class Scheduler : public Controlled {
 public:
  /// Everything referred to outlives the scheduler. `finished` is called once, on the loop's thread.
  Scheduler(const graph::ExpandedGraph& graph, const graph::Plan& plan, WritableProject& project, Executor& executor,
            Loop& loop, RunObserver& observer, RunFiles files, SchedulerOptions options,
            std::function<void()> finished);

  void start(std::vector<Adopted> adopted);
  /// First call: nothing new starts, running jobs are asked to stop. Their checkpoints stay.
  void interrupt() override;
  [[nodiscard]] Snapshot snapshot() const override;
  void cancel(graph::VariantIndex variant) override;
  std::vector<graph::VariantIndex> retry(const std::string& cause) override;
  [[nodiscard]] const RunSummary& summary() const { return summary_; }

 private:
  using Index = graph::VariantIndex;
  enum class State { waiting, ready, running, done, failed, blocked, left_out };

  struct Node {
    State state = State::waiting;
    std::size_t waiting_for = 0;
    std::vector<Index> consumers;
    std::optional<graph::Key> content;
    graph::Key provenance;
    std::map<std::string, ArtifactRef> outputs;
    std::uint32_t attempts = 0;  ///< in this run
    // How it settled, for people.
    VariantState settled_as = VariantState::waiting;
    std::string text;
    std::string cause;
  };

  /// One job and every variant that needs exactly its result.
  struct Running {
    std::int64_t attempt_id = 0;
    std::string label;
    std::vector<Index> variants;
    AttemptPaths paths;
    PublishContext context;
    std::string nonce;
    unsigned cpus = 1;
    JournalTail tail;
    Json progress = nullptr;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };
  using RunningPtr = std::shared_ptr<Running>;

  void count_producers();
  [[nodiscard]] std::set<Index> producers_of(Index index) const;
  void make_ready(Index index);
  void drain();
  void settle(Index index, State state, VariantState settled_as, std::string text = {}, std::string cause = {});
  void reopen(const std::vector<Index>& variants);
  void block(Index index, const std::string& reason);
  [[nodiscard]] bool inputs_allow(Index index, std::string& reason) const;
  [[nodiscard]] std::optional<ArtifactRef> artifact_of(const graph::Member& member) const;
  [[nodiscard]] graph::Key provenance_with_present_members(Index index) const;
  [[nodiscard]] bool cut_off(Index index);
  void dispatch();
  void launch(Index index);
  void on_end(const RunningPtr& job);
  void on_prepared(const RunningPtr& job, Result<Prepared> prepared);
  void on_failure(const RunningPtr& job, const Failure& failure);
  void publish_ready();
  void poll_progress();
  void give_up(const Diagnostics& problems);
  void finish_if_idle();
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

  std::vector<Node> nodes_;
  std::deque<Index> unblocked_;  ///< every producer has settled; not looked at yet
  std::set<Index> ready_;        ///< in graph order
  std::map<Digest, RunningPtr> running_;
  std::map<Digest, Adopted> adopted_;
  std::vector<std::pair<RunningPtr, store::Publication>> to_publish_;
  bool publish_scheduled_ = false;
  unsigned cpus_in_use_ = 0;
  std::size_t unsettled_ = 0;
  bool stopping_ = false;
  bool done_ = false;
  RunSummary summary_;
};

}  // namespace lowbit::exec
