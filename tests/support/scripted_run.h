// A run without processes and without waiting: a loop whose time the test moves, and workers that do what they are
// told.
//
//   Bench bench;
//   bench.add("a", {.resources = {.cpus = 2}});
//   bench.add("b", {.inputs = {"a"}});
//   bench.start({.capacity = {.cpus = 2}});
//   bench.workers.finish("a");
//   CHECK(bench.workers.running() == std::vector<std::string>{"b"});
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exec/executor.h"
#include "exec/loop.h"
#include "exec/project.h"
#include "exec/scheduler.h"
#include "support/program.h"

namespace lowbit::test {

/// What is posted, and background work, runs in `settle()`, in order.
class ManualLoop : public exec::Loop {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return now_; }
  void post(Task task) override { tasks_.push_back(std::move(task)); }
  void after(std::chrono::milliseconds delay, Task task) override { timers_.emplace(now_ + delay, std::move(task)); }
  void in_background(Task work, Task then) override {
    post([work = std::move(work), then = std::move(then)] {
      work();
      then();
    });
  }

  /// Runs what is posted until nothing is.
  void settle();
  /// Moves time, and runs what becomes due on the way.
  void advance(std::chrono::milliseconds time);

 private:
  std::chrono::steady_clock::time_point now_{};
  std::deque<Task> tasks_;
  std::multimap<std::chrono::steady_clock::time_point, Task> timers_;
};

/// How a scripted job ends.
struct Ending {
  int status = 0;         ///< lb_status
  std::string text = {};  ///< of its output; empty: its label
  std::vector<MetricRow> metrics = {};
};

/// Jobs that run until the test ends them. What a real job and its shim would leave behind is left behind.
class ScriptedWorkers : public exec::Executor {
 public:
  struct Job {
    exec::JobRequest request;
    exec::AttemptPaths attempt;
    std::vector<std::string> environment;
    OnEnd on_end;
  };

  explicit ScriptedWorkers(ManualLoop& loop) : loop_(loop) {}

  [[nodiscard]] Result<void> start(const exec::JobRequest& request, const exec::AttemptPaths& attempt,
                                   const std::vector<std::string>& environment, OnEnd on_end) override;
  void adopt(const exec::JobRequest& request, const exec::AttemptPaths& attempt, OnEnd on_end) override;
  /// A job that is asked to stop does so.
  void cancel(const std::string& attempt) override;

  /// Of jobs that run, in the order in which they started.
  [[nodiscard]] std::vector<std::string> running() const;
  [[nodiscard]] const Job& job(const std::string& label) const;
  /// Ends a job, and lets the loop settle.
  void finish(const std::string& label, const Ending& ending = {});
  /// Reports a position, as a job does.
  void progress(const std::string& label, std::uint64_t done, std::uint64_t total);

  std::vector<std::string> started;    ///< labels, in order
  std::function<void()> when_started;  ///< may be empty
  std::function<void()> when_ended;    ///< before the scheduler is told; may be empty

 private:
  void end(std::size_t index, const exec::ExitRecord& record);

  ManualLoop& loop_;
  std::vector<Job> jobs_;
};

class Observed : public exec::RunObserver {
 public:
  void on_event(const exec::Event& event) override { events.push_back(event); }
  /// "label: text" of the events of one kind.
  [[nodiscard]] std::vector<std::string> of(exec::Event::Kind kind) const;

  std::vector<exec::Event> events;
};

struct StageSketch {
  std::vector<std::string> inputs = {};  ///< stages whose output it reads
  Resources resources = {};
  RetryPolicy retry = {};
  std::vector<Gate> gates = {};
  std::optional<std::uint64_t> min_members = {};
  std::vector<std::string> keepers = {};  ///< stages whose gates hold what it reads
};

/// A project with a graph of toy stages; each has one output, and a result of its own.
class Bench {
 public:
  Bench();
  void add(const std::string& stage, const StageSketch& sketch = {});
  /// Makes a plan and begins to run it. Once for each host; a second call is the next host.
  void start(exec::SchedulerOptions options, std::vector<exec::Adopted> adopted = {});
  /// The host is gone; its jobs are not.
  void kill_host() { scheduler.reset(); }
  [[nodiscard]] graph::Plan plan();

  TemporaryDirectory directory;
  exec::WritableProject project;
  graph::ExpandedGraph graph;
  std::optional<graph::Plan> planned;
  ManualLoop loop;
  ScriptedWorkers workers{loop};
  Observed observed;
  std::unique_ptr<exec::Scheduler> scheduler;
  bool finished = false;

 private:
  StageDescription plugin_;
  std::map<std::string, graph::VariantIndex> index_;
};

}  // namespace lowbit::test
