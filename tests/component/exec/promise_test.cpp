// The promise of plan, held against random histories: whatever was edited, failed, was killed, cancelled, forced or
// cleared before, what a plan prints as reuse does not run, and one more run that nothing disturbs leaves the database
// that a fresh project has after running the same file once.
//
//   LOWBIT_PROMISE_SEEDS=5000    so many histories instead of the few that ctest waits for
//   LOWBIT_PROMISE_FIRST=17      the first seed
// A history that breaks the promise is told by its seed and by the shortest form of it that breaks it as well.
#include <lowbit/plugin_abi.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <set>
#include <sstream>

#include "component/exec/promise_study.h"
#include "env/file_lock.h"
#include "env/files.h"
#include "exec/garbage.h"
#include "exec/journal.h"
#include "exec/rebuild.h"
#include "exec/run.h"
#include "store/study_results.h"
#include "support/program.h"

namespace lowbit::test {
namespace {

namespace fs = std::filesystem;

/// What a history breaks: thrown from wherever it is seen.
struct Broken {
  std::string what;
};
/// The host ends here, with no word to anyone.
struct HostKilled {};

void hold(bool holds, const std::string& what) {
  if (!holds) throw Broken{what};
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw Broken{render(result.error())};
  return *std::move(result);
}

void must(const Result<void>& result) {
  if (!result.ok()) throw Broken{render(result.error())};
}

/// Ends the host at the n-th moment that something happens; 0: never.
class Fuse {
 public:
  explicit Fuse(std::size_t moments) : left_(moments) {}
  void pass() {
    if (left_ > 0 && --left_ == 0) throw HostKilled{};
  }

 private:
  std::size_t left_;
};

/// What is posted comes in order; what the background does comes in any order, between it.
class DrawnLoop : public exec::Loop {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return now_; }
  void post(Task task) override { posted_.push_back(std::move(task)); }
  void after(std::chrono::milliseconds delay, Task task) override { timers_.emplace(now_ + delay, std::move(task)); }
  void in_background(Task work, Task then) override { background_.emplace_back(std::move(work), std::move(then)); }

  [[nodiscard]] bool has_work() const { return !posted_.empty() || !background_.empty(); }
  [[nodiscard]] bool has_timers() const { return !timers_.empty(); }
  void step(Draw& draw) {
    const std::size_t choice = draw.below(background_.size() + (posted_.empty() ? 0 : 1));
    if (choice < background_.size()) {
      auto [work, then] = std::move(background_[choice]);
      background_.erase(background_.begin() + static_cast<std::ptrdiff_t>(choice));
      work();
      post(std::move(then));
      return;
    }
    const Task task = std::move(posted_.front());
    posted_.pop_front();
    task();
  }
  void wait_for_timer() {
    auto due = timers_.extract(timers_.begin());
    now_ = due.key();
    due.mapped()();
  }

 private:
  std::chrono::steady_clock::time_point now_{};
  std::deque<Task> posted_;
  std::vector<std::pair<Task, Task>> background_;
  std::multimap<std::chrono::steady_clock::time_point, Task> timers_;
};

void tell(const exec::AttemptPaths& attempt, const Json& record) {
  auto journal = must(exec::JournalWriter::open(attempt.journal()));
  hold(journal.append(record), "the journal can be written");
}

/// A job: a shim's lock, and what will be written at its end. It outlives the host that started it.
struct ScriptedJob {
  exec::JobRequest request;
  exec::AttemptPaths attempt;
  std::string text;  ///< of its output: follows from its content key alone
  std::uint64_t score = 0;
  std::optional<env::FileLock> lock;
  exec::Executor::OnEnd on_end;  ///< empty: no host waits for it
};

enum class Ending { well, numeric, transient, resource, killed, crashed, lost, silent, lying, torn, kCount };

void end_job(ScriptedJob& job, Ending ending) {
  const auto exits = [&](exec::ExitKind kind, int code) {
    write_text(job.attempt.exit(), canonical(exec::to_json(exec::ExitRecord{.kind = kind, .code = code})));
  };
  const auto fails = [&](int status) {
    tell(job.attempt, {{"k", "fail"}, {"what", "it went wrong"}, {"where", ""}, {"why", ""}, {"fix", ""}});
    tell(job.attempt, {{"k", "done"}, {"status", status}});
    exits(exec::ExitKind::exited, status);
  };
  fs::create_directories(job.attempt.output("out"));
  const bool whole = ending == Ending::well || ending == Ending::lying;
  write_text(job.attempt.output("out") / "text", whole ? job.text : "half of " + job.text);
  MetricRow metric{.name = "x/score", .unit = "ratio", .value = static_cast<double>(job.score), .std_error = {}};
  if (ending == Ending::lying) metric.name = "no/metric/of/this/name";
  Json record = exec::to_json(metric);
  record["k"] = "metric";
  tell(job.attempt, record);
  switch (ending) {
    case Ending::well:
      if (job.score % 2 == 0) {
        fs::create_directories(job.attempt.output("extra"));
        write_text(job.attempt.output("extra") / "text", "extra " + job.text);
      }
      [[fallthrough]];
    case Ending::lying:
      tell(job.attempt, {{"k", "done"}, {"status", LB_OK}});
      exits(exec::ExitKind::exited, 0);
      break;
    case Ending::numeric: fails(LB_NUMERIC); break;
    case Ending::transient: fails(LB_TRANSIENT); break;
    case Ending::resource: fails(LB_RESOURCE); break;
    case Ending::killed: exits(exec::ExitKind::signalled, SIGKILL); break;
    case Ending::crashed: exits(exec::ExitKind::signalled, SIGSEGV); break;
    case Ending::silent: exits(exec::ExitKind::exited, 0); break;
    case Ending::torn: {
      const std::string done = exec::journal_record({{"k", "done"}, {"status", LB_OK}});
      const std::string before = read_text(job.attempt.journal());
      write_text(job.attempt.journal(), before + done.substr(0, done.size() / 2));
      exits(exec::ExitKind::exited, 0);
      break;
    }
    case Ending::lost:
    case Ending::kCount: break;
  }
  job.lock.reset();
}

/// The machine that hosts come and go on: jobs run on without one.
class Workers : public exec::Executor {
 public:
  [[nodiscard]] Result<void> start(const exec::JobRequest& request, const exec::AttemptPaths& attempt,
                                   const std::vector<std::string>& /*environment*/, OnEnd on_end) override {
    fuse->pass();  // there is an attempt, and no shim
    started.push_back(request.stage_label);
    ScriptedJob job{.request = request, .attempt = attempt, .text = {}, .score = 0, .lock = {}, .on_end = {}};
    auto lock = must(env::FileLock::try_take(attempt.lock()));
    hold(lock.has_value(), "one shim runs an attempt");
    job.lock = std::move(lock);
    const Digest digest = sha256(canonical(what_counts(request)));
    job.score = static_cast<std::uint64_t>(std::stoul(digest.hex().substr(0, 4), nullptr, 16) % 10);
    // Some outputs come out the same for many inputs: what reads them is cut off.
    job.text = request.params.value("coarse", false) ? std::to_string(job.score % 2) : digest.hex();
    jobs.push_back(std::move(job));
    fuse->pass();  // it runs, and the host has not heard of it
    jobs.back().on_end = std::move(on_end);
    return {};
  }
  void adopt(const exec::JobRequest& request, const exec::AttemptPaths& /*attempt*/, OnEnd on_end) override {
    const auto job = std::find_if(jobs.begin(), jobs.end(),
                                  [&](const ScriptedJob& one) { return one.request.attempt == request.attempt; });
    if (job != jobs.end()) {
      job->on_end = std::move(on_end);
    } else {
      loop->post(std::move(on_end));  // it ended since the host looked
    }
  }
  void cancel(const std::string& attempt) override {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].request.attempt != attempt) continue;
      write_text(jobs[i].attempt.exit(),
                 canonical(exec::to_json(
                     exec::ExitRecord{.kind = exec::ExitKind::exited, .code = LB_CANCELLED, .cancelled = true})));
      jobs[i].lock.reset();
      forget(i);
      return;
    }
  }
  void end(std::size_t index, Ending ending) {
    end_job(jobs[index], ending);
    forget(index);
  }
  void host_died() {
    for (ScriptedJob& job : jobs) job.on_end = nullptr;
  }

  std::vector<ScriptedJob> jobs;
  std::vector<std::string> started;
  std::map<std::string, int> versions;
  DrawnLoop* loop = nullptr;
  Fuse* fuse = nullptr;

 private:
  /// All of a content key, as a job sees it.
  [[nodiscard]] Json what_counts(const exec::JobRequest& request) const {
    Json counts{{"stage", request.stage}, {"version", versions.at(request.stage) / 2}, {"seed", request.seed}};
    counts["p"] = request.params.value("p", 0) / 2;
    for (const auto& [port, members] : request.inputs) {
      Json list = Json::array();
      for (const exec::JobInput& input : members) {
        const fs::path file = fs::is_directory(input.path) ? input.path / "text" : input.path;
        list.push_back({input.coordinates, read_text(file)});
      }
      counts["inputs"][port] = list;
    }
    return counts;
  }
  void forget(std::size_t index) {
    const exec::Executor::OnEnd on_end = std::move(jobs[index].on_end);
    jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(index));
    if (on_end && loop != nullptr) loop->post(on_end);
  }
};

class Witness : public exec::RunReporter {
 public:
  explicit Witness(Fuse& fuse) : fuse_(fuse) {}
  void on_event(const exec::Event& /*event*/) override { fuse_.pass(); }
  void on_recovery(const exec::Recovery& /*recovery*/) override { fuse_.pass(); }
  void on_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan) override {
    for (const graph::PlannedVariant& planned : plan.variants) {
      decisions[graph.variants[planned.variant].label()] = planned.decision;
    }
    fuse_.pass();
  }
  std::map<std::string, graph::Decision> decisions;  ///< what was printed

 private:
  Fuse& fuse_;
};

/// How a run is disturbed.
struct Disturbance {
  unsigned fails_percent = 0;
  std::size_t killed_at = 0;       ///< 0: never
  std::size_t interrupted_at = 0;  ///< 0: never
  bool controlled = false;         ///< someone cancels stages and tries failed ones again
  bool fail_fast = false;
  graph::PlanOptions plan;
};

/// A project on a machine.
class Machine {
 public:
  explicit Machine(Study given) : study(std::move(given)) {}

  /// One `lowbit run`, perhaps with a bad end.
  void run(const Disturbance& how, Draw draw) {
    write_files();
    Fuse fuse(how.killed_at);
    DrawnLoop loop;
    Witness witness(fuse);
    workers.loop = &loop;
    workers.fuse = &fuse;
    workers.versions = study.versions;
    workers.started.clear();
    const auto expanded = expand(study);
    hold(expanded.has_value(), "the study expands");
    try {
      run_host(*expanded, how, draw, loop, witness, fuse);
    } catch (const HostKilled&) {
    }
    workers.host_died();
    workers.loop = nullptr;
    for (const std::string& label : workers.started) {
      hold(graph::may_run(witness.decisions.at(label)),
           "what was printed as " + std::string(name_of(witness.decisions.at(label))) + " started: " + label);
    }
  }

  /// Jobs that no host watches end, or do not.
  void let_time_pass(Draw draw) {
    for (std::size_t i = workers.jobs.size(); i-- > 0;) {
      if (draw.chance(40)) workers.end(i, draw.chance(60) ? Ending::well : Ending::lost);
    }
  }

  void clear() {
    auto project = must(exec::WritableProject::open(paths()));
    must(exec::remove_garbage(project, must(exec::find_garbage(paths(), project.store()))));
  }

  void rebuild() {
    if (env::exists(paths().database())) static_cast<void>(must(exec::rebuild(paths())));
  }

  /// Someone removes the files of a result.
  void lose_files(Draw draw) {
    std::vector<fs::path> results;
    for (const fs::path& shelf : must(env::list_directory(paths().results()))) {
      for (const fs::path& result : must(env::list_directory(shelf))) results.push_back(result);
    }
    if (results.empty()) return;
    std::sort(results.begin(), results.end(), [](const fs::path& a, const fs::path& b) {
      return a.filename().string().substr(0, 64) < b.filename().string().substr(0, 64);
    });
    fs::remove_all(draw.of(results));
  }

  /// The plan says nothing to do, nothing runs, and nothing is half done.
  void check_at_rest() {
    auto project = must(exec::WritableProject::open(paths()));
    const auto expanded = expand(study);
    const graph::Plan plan = must(exec::plan(project.store(), expanded->graph, request({})));
    for (const graph::PlannedVariant& planned : plan.variants) {
      hold(!graph::may_run(planned.decision),
           "the next plan has something to do: " + expanded->graph.variants[planned.variant].label() + ": " +
               planned.reason.text);
    }
    hold(must(project.store().running_attempts()).empty(), "no attempt runs");
    hold(workers.jobs.empty(), "no job runs");
  }

  /// Everything of the experiment that a table can show, and by which keys it is found.
  [[nodiscard]] std::string results() {
    auto project = must(exec::WritableProject::open(paths()));
    const store::Store& store = project.store();
    std::map<std::string, store::ExpansionRow> rows;
    for (const store::ExpansionRow& row : must(store.expansion("e"))) {
      rows[stage_label(row.stage, row.coordinates)] = row;
    }
    const auto links = must(store.links_of("e"));
    std::ostringstream text;
    const StudyResults study_results = must(store::study_results(paths().database(), "e"));
    for (const StudyVariant& variant : study_results.variants) {
      const store::ExpansionRow& row = rows.at(variant.label);
      text << variant.label << " " << variant.state;
      for (const auto& [name, metric] : variant.metrics) text << "\n  " << name << " " << metric.value.value_or(-1);
      if (const auto link = links.find(row.provenance_key); link != links.end()) {
        text << "\n  key " << row.provenance_key.brief() << "\n  content " << link->second.brief();
        if (const auto result = store.by_content_key(link->second)) {
          for (const auto& [port, artifact] : result->outputs) {
            text << "\n  " << port << " " << artifact.digest.brief();
            hold(store.artifact_present(artifact.digest), "the files of " + variant.label + "." + port + " are there");
          }
        }
      }
      text << "\n";
    }
    return text.str();
  }

  Study study;
  Workers workers;

 private:
  [[nodiscard]] exec::ProjectPaths paths() const { return {directory_.path()}; }

  void write_files() {
    for (const auto& [name, text] : study.files) {
      const fs::path file = directory_.path() / name;
      if (!env::exists(file) || read_text(file) != text) write_text(file, text);
    }
  }

  [[nodiscard]] exec::RunRequest request(const graph::PlanOptions& options) const {
    exec::RunRequest request;
    request.experiment_file = directory_.path() / "e.yaml";
    request.command = "lowbit run e.yaml";
    request.machine.cpus = 2;
    request.machine.gpus.emplace();
    request.plan = options;
    for (const auto& [plugin, version] : study.versions) {
      request.plugins[plugin] = sha256(plugin + std::to_string(version) + std::to_string(study.build));
    }
    request.library_of = [](const std::string&) { return fs::path("toy.so"); };
    return request;
  }

  void run_host(const Expanded& expanded, const Disturbance& how, Draw& draw, DrawnLoop& loop, Witness& witness,
                Fuse& fuse) {
    auto project = must(exec::WritableProject::open(paths()));
    exec::RunRequest asked = request(how.plan);
    asked.fail_fast = how.fail_fast;
    exec::ReadyRun ready = must(exec::ready_run(project, expanded.graph, asked, witness));
    if (ready.nothing_to_do) return;
    fuse.pass();
    bool finished = false;
    const graph::ExternalDigests externals = ready.files.externals;
    const std::int64_t run = ready.options.run;
    ready.options.socket_path = [](const std::string&) { return Result<fs::path>(fs::path("socket")); };
    exec::Scheduler scheduler(expanded.graph, ready.plan, project, workers, loop, witness, std::move(ready.files),
                              std::move(ready.options), [&] { finished = true; });
    bool begun = false;  // the control socket is not listened to before
    loop.post([&] {
      scheduler.start(ready.adopted);
      begun = true;
    });
    std::size_t idle = 0;
    for (std::size_t moment = 1; !finished; ++moment) {
      fuse.pass();
      if (moment == how.interrupted_at) scheduler.interrupt();
      if (begun && how.controlled && draw.chance(5)) scheduler.cancel(draw.below(expanded.graph.variants.size()));
      if (begun && how.controlled && draw.chance(5)) static_cast<void>(scheduler.retry("", {}));
      if (finished) break;
      if (loop.has_work() && (workers.jobs.empty() || draw.chance(70))) {
        loop.step(draw);
      } else if (!workers.jobs.empty() && draw.chance(80)) {
        const bool well = !draw.chance(how.fails_percent);
        const auto bad = static_cast<Ending>(1 + draw.below(static_cast<std::size_t>(Ending::kCount) - 1));
        workers.end(draw.below(workers.jobs.size()), well ? Ending::well : bad);
        idle = 0;
      } else if (loop.has_timers()) {
        loop.wait_for_timer();
        hold(++idle < 1000, "a run comes to its end: " + exec::to_json(scheduler.snapshot()).dump(1));
      }
    }
    std::string problems = render(scheduler.summary().machine);
    hold(scheduler.summary().machine.empty(), problems);
    must(exec::end_run(project, expanded.graph, asked, externals, run, scheduler.summary()));
  }

  TemporaryDirectory directory_;
};

struct Step {
  enum class Kind { run, edit, time, clear, rebuild, lose_files };
  Kind kind = Kind::run;
  std::uint64_t seed = 0;
};

struct History {
  Study study;
  std::vector<Step> steps;
};

History draw_history(std::uint64_t seed) {
  Draw draw(seed);
  History history{.study = draw_study(draw.seed()), .steps = {}};
  const std::size_t steps = 2 + draw.below(9);
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t choice = draw.below(100);
    const Step::Kind kind = choice < 50   ? Step::Kind::run
                            : choice < 80 ? Step::Kind::edit
                            : choice < 87 ? Step::Kind::time
                            : choice < 93 ? Step::Kind::clear
                            : choice < 97 ? Step::Kind::rebuild
                                          : Step::Kind::lose_files;
    history.steps.push_back({.kind = kind, .seed = draw.seed()});
  }
  return history;
}

Disturbance draw_disturbance(Draw& draw, const Study& study) {
  Disturbance how;
  if (draw.chance(50)) how.fails_percent = draw.chance(50) ? 20 : 60;
  if (draw.chance(40)) how.killed_at = 1 + draw.below(60);
  if (draw.chance(15)) how.interrupted_at = 1 + draw.below(40);
  how.controlled = draw.chance(15);
  how.fail_fast = draw.chance(10);
  how.plan.strict = draw.chance(15);
  if (draw.chance(15)) how.plan.force = {draw.of(study.experiment["stages"].get<std::vector<Json>>())["id"]};
  return how;
}

/// What the history breaks; empty: nothing. `told`: what was done, one line a step.
std::string broken_by(const History& history, std::vector<std::string>& told) {
  try {
    Machine machine(history.study);
    std::vector<Study> earlier;
    for (const Step& step : history.steps) {
      Draw draw(step.seed);
      switch (step.kind) {
        case Step::Kind::run: {
          const Disturbance how = draw_disturbance(draw, machine.study);
          std::string force;
          for (const std::string& stage : how.plan.force) force += ", forced " + stage;
          told.push_back("run: " + std::to_string(how.fails_percent) + "% fail, killed at " +
                         std::to_string(how.killed_at) + ", interrupted at " + std::to_string(how.interrupted_at) +
                         (how.controlled ? ", controlled" : "") + (how.fail_fast ? ", fail-fast" : "") +
                         (how.plan.strict ? ", strict" : "") + force);
          machine.run(how, draw);
          break;
        }
        case Step::Kind::edit: {
          const Study before = machine.study;
          told.push_back("edit: " + edit_study(machine.study, earlier, step.seed));
          earlier.push_back(before);
          break;
        }
        case Step::Kind::time:
          told.emplace_back("time passes");
          machine.let_time_pass(draw);
          break;
        case Step::Kind::clear:
          told.emplace_back("gc");
          machine.clear();
          break;
        case Step::Kind::rebuild:
          told.emplace_back("doctor --rebuild");
          machine.rebuild();
          break;
        case Step::Kind::lose_files:
          told.emplace_back("files of a result are lost");
          machine.lose_files(draw);
          break;
      }
    }
    told.emplace_back("run, undisturbed");
    machine.run({}, Draw(1));
    for (std::size_t i = machine.workers.jobs.size(); i-- > 0;) machine.workers.end(i, Ending::well);  // foreign ones
    machine.run({}, Draw(2));
    hold(machine.workers.started.empty(), "the second run starts nothing");
    machine.check_at_rest();

    Machine fresh(machine.study);
    fresh.run({}, Draw(3));
    fresh.check_at_rest();
    const std::string has = machine.results();
    const std::string should = fresh.results();
    hold(has == should, "the database is another than a fresh one:\n" + has + "fresh:\n" + should);
    return {};
  } catch (const Broken& broken) {
    return broken.what;
  } catch (const std::exception& problem) {
    return std::string("exception: ") + problem.what();
  }
}

/// As short as it gets by leaving out one thing at a time.
History shortest(History history) {
  const auto still = [](const History& candidate) {
    std::vector<std::string> told;
    return !broken_by(candidate, told).empty();
  };
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t i = history.steps.size(); i-- > 0;) {
      History candidate = history;
      candidate.steps.erase(candidate.steps.begin() + static_cast<std::ptrdiff_t>(i));
      if (!still(candidate)) continue;
      history = std::move(candidate);
      shorter = true;
    }
    for (const Study& smaller : smaller_studies(history.study)) {
      const History candidate{.study = smaller, .steps = history.steps};
      if (!still(candidate)) continue;
      history = candidate;
      shorter = true;
      break;
    }
  }
  return history;
}

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string account_of(std::uint64_t seed, const History& history) {
  std::vector<std::string> told;
  const std::string broken = broken_by(history, told);
  std::string text = "seed " + std::to_string(seed) + ": " + broken + "\nwith\n" + history.study.experiment.dump(1);
  for (const std::string& line : told) text += "\n" + line;
  return text;
}

}  // namespace

TEST_CASE("whatever happened before, a plan keeps its promise and the last run makes the database of a fresh one",
          "[exec][promise]") {
  const std::uint64_t first = number_in("LOWBIT_PROMISE_FIRST", 1);
  const std::uint64_t seeds = number_in("LOWBIT_PROMISE_SEEDS", 150);
  std::size_t broken = 0;
  for (std::uint64_t seed = first; seed < first + seeds && broken < 3; ++seed) {
    if (seed % 1000 == 0) std::cerr << seed << " histories\n";  // of the long form
    const History history = draw_history(seed);
    std::vector<std::string> told;
    if (broken_by(history, told).empty()) continue;
    ++broken;
    UNSCOPED_INFO(account_of(seed, shortest(history)));
  }
  CHECK(broken == 0);
}

}  // namespace lowbit::test
