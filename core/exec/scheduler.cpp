#include "exec/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "env/files.h"
#include "exec/job_environment.h"
#include "exec/retry.h"
#include "exec/wording.h"
#include "graph/gates.h"

namespace lowbit::exec {
namespace {

using namespace std::chrono_literals;

// Results that come within this time, or while others are being made durable, share their syncs and one transaction.
constexpr auto kPublishWindow = 5ms;
constexpr auto kProgressPoll = 1000ms;
constexpr double kBriefSeconds = 1;  // little is lost when such a job ends with others whose shim it shares

double seconds_of(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Scheduler::Scheduler(const graph::ExpandedGraph& graph, const graph::Plan& plan, WritableProject& project,
                     Executor& executor, Loop& loop, RunObserver& observer, RunFiles files, SchedulerOptions options,
                     std::function<void()> finished)
    : graph_(graph),
      plan_(plan),
      project_(project),
      executor_(executor),
      loop_(loop),
      observer_(observer),
      files_(std::move(files)),
      options_(std::move(options)),
      finished_(std::move(finished)),
      states_(graph, plan, files_.externals, options_.only, options_.history),
      pool_(options_.capacity),
      works_(graph, states_, pool_.capacity()) {}

void Scheduler::start(const std::vector<Adopted>& adopted) {
  for (const Adopted& one : adopted) adopt(one);
  dispatch();
  loop_.after(kProgressPoll, [this] { poll_progress(); });
  finish_if_idle();
}

RunSummary Scheduler::summary() const { return {states_.counts(), not_started_, interrupted_, machine_problems_}; }

void Scheduler::adopt(const Adopted& adopted) {
  const auto job = std::make_shared<RunningJob>(job_of(adopted, pool_, loop_.now()));
  if (!works_.adopt(job)) {
    executor_.adopt(adopted.request, adopted.paths, [this, job] {  // twice the same: one result
      job->lease.release();
      dispatch();
    });
    return;
  }
  running_.emplace(job->nonce, job);
  executor_.adopt(adopted.request, adopted.paths, [this, job] { on_end(job); });
}

void Scheduler::make_ready(Index index) {
  if (const auto reason = states_.hold_back(index)) {
    tell(Event::Kind::blocked, graph_.variants[index].label(), *reason);
    return;
  }
  if (cut_off(states_.know_inputs(index))) return;
  states_.schedule(index);
  // The same work under another name, or a job that another host started, is one job for all of them.
  if (const JobPtr job = works_.add(index)) {
    job->run_as(graph_.variants[index], loop_.now());
    tell(Event::Kind::adopted, job->label, "still running since " + job->context.started_at);
  }
}

// The planner's own decision, now that the inputs are known.
bool Scheduler::cut_off(graph::PlannedVariant known) {
  const Index index = known.variant;
  const graph::PlannedVariant decided = graph::decide(std::move(known), graph_.experiment, graph_.variants[index],
                                                      files_.plugins, project_.store(), options_.plan);
  if (decided.decision != graph::Decision::reuse) return false;
  const auto linked = project_.store().link(decided.provenance.digest, decided.content->digest);
  if (!linked.ok()) {
    give_up(linked.error());
    return true;
  }
  tell(Event::Kind::cut_off, graph_.variants[index].label(), "its inputs came out as they were");
  settle_with_result(index, *decided.result, VariantState::cut_off);
  return true;
}

void Scheduler::settle_with_result(Index index, const StageResult& result, VariantState how) {
  const graph::Variant& variant = graph_.variants[index];
  std::string gate = graph::gate_problem(variant.gates, result.metrics);
  if (!gate.empty()) {
    if (const auto recorded = project_.store().record_gates({{result.content_key, gate}}); !recorded.ok()) {
      give_up(recorded.error());
      return;
    }
    tell(Event::Kind::gated, variant.label(), gate);
  }
  states_.succeed(index, how, result.outputs, std::move(gate));
}

void Scheduler::dispatch() {
  if (options_.fail_fast && unchecked_ > 0) return;  // nothing starts before it is known how these ended
  // A queue, not recursion: a chain of cut-offs may be as long as the graph.
  while (!stopping_ && !done_) {
    const auto next = states_.next_unblocked();
    if (!next) break;
    make_ready(*next);
  }
  while (!stopping_ && !done_) {
    const auto next = works_.next(pool_);
    if (!next) return;
    launch(*next);
  }
}

void Scheduler::note_seconds(const std::string& stage, double seconds) {
  double& longest = longest_seconds_[stage];
  longest = std::max(longest, seconds);
}

bool Scheduler::is_brief(const std::string& stage) const {
  const auto longest = longest_seconds_.find(stage);
  return longest != longest_seconds_.end() && longest->second <= kBriefSeconds;
}

void Scheduler::launch(Index index) {
  const graph::Variant& variant = graph_.variants[index];
  Lease lease = pool_.take(works_.demand(index));
  std::filesystem::path used;
  if (!used_directories_.empty()) {
    used = std::move(used_directories_.back());
    used_directories_.pop_back();
  }
  auto attempt =
      new_attempt(project_, files_,
                  {.variant = variant,
                   .own_record = plan_.variants[index].own,
                   .content = states_.content(index),
                   .provenance_key = states_.provenance(index).digest,
                   .artifact_of = [this](const graph::Member& member) { return states_.artifact_of(member); },
                   .threads = lease.grant().cpus,
                   .brief = is_brief(variant.stage),
                   .run = options_.run,
                   .planned_key = plan_.variants[index].provenance.digest,
                   .lease = lease.grant(),
                   .used_directory = std::move(used)},
                  options_.socket_path);
  if (!attempt.ok()) {
    give_up(attempt.error());
    return;
  }
  const JobRequest request = attempt->request;
  if (attempt->checkpoint_refused) {
    tell(Event::Kind::notice, request.stage_label,
         "starts from nothing: its checkpoint was made in another numeric environment");
  }
  if (!attempt->carry_gap.empty()) tell(Event::Kind::notice, request.stage_label, attempt->carry_gap);
  const auto job = std::make_shared<RunningJob>(job_of(*std::move(attempt), std::move(lease), variant, loop_.now()));
  std::vector<std::string> environment = job_environment(variant.plugin->environment, request.threads, request.attempt);
  if (!pool_.capacity().gpus.empty()) restrict_gpus(environment, job->lease.grant().gpus);
  const auto started = executor_.start(request, job->paths, environment, [this, job] { on_end(job); });
  if (!started.ok()) {
    give_up(started.error());
    return;
  }
  works_.begin(index, job);
  running_.emplace(job->nonce, job);
  if (request.resume_from.empty()) {
    tell(Event::Kind::started, job->label);
  } else {
    tell(Event::Kind::resumed, job->label, "from checkpoint " + request.resume_from.filename().string());
  }
}

// Its lock is free: what it had is free as well, while its result is still checked and hashed.
void Scheduler::on_end(const JobPtr& job) {
  running_.erase(job->nonce);
  job->lease.release();
  ++unchecked_;
  auto outcome = std::make_shared<std::optional<Result<std::variant<CheckedResult, Failure>>>>();
  loop_.in_background(
      [this, job, outcome] {
        const Result<ExitRecord> ended = end_of(job->paths, job->nonce);
        outcome->emplace(ended.ok() ? check(project_.paths(), job->paths, job->context, *ended) : ended.error());
      },
      [this, job, outcome] { on_checked(job, std::move(**outcome)); });
  dispatch();
}

void Scheduler::on_checked(const JobPtr& job, Result<std::variant<CheckedResult, Failure>> outcome) {
  --unchecked_;
  if (done_) return;
  if (!outcome.ok()) {
    give_up(outcome.error());
    return;
  }
  if (auto* failure = std::get_if<Failure>(&*outcome)) {
    on_failure(job, std::move(*failure));
    return;
  }
  const std::vector<Index>& variants = works_.find(job->content_key())->variants;
  const double seconds = std::get<CheckedResult>(*outcome).publication.seconds;
  if (!variants.empty()) note_seconds(graph_.variants[variants.front()].stage, seconds);
  if (options_.fail_fast) dispatch();
  CheckedResult result = std::get<CheckedResult>(*std::move(outcome));
  job->warnings = std::move(result.warnings);
  to_publish_.jobs.push_back(job);
  to_publish_.results.push_back(std::move(result));
  if (publish_scheduled_) return;
  publish_scheduled_ = true;
  loop_.after(kPublishWindow, [this] { publish_ready(); });
}

void Scheduler::publish_ready() {
  if (done_) return;
  const auto group = std::make_shared<Group>(std::exchange(to_publish_, Group{}));
  const auto moved = std::make_shared<Result<void>>();
  loop_.in_background([group, moved] { *moved = move_into_place(group->results); },
                      [this, group, moved] { on_moved(*group, *moved); });
}

void Scheduler::on_moved(Group& group, const Result<void>& moved) {
  if (done_) return;
  if (!moved.ok()) {
    give_up(moved.error());
    return;
  }
  publish_scheduled_ = !to_publish_.jobs.empty();
  if (publish_scheduled_) publish_ready();
  std::vector<std::pair<JobPtr, store::Publication>> fresh;
  std::vector<std::pair<JobPtr, store::Publication>> replacing;
  for (std::size_t i = 0; i < group.jobs.size(); ++i) {
    (group.jobs[i]->context.replace ? replacing : fresh)
        .emplace_back(std::move(group.jobs[i]), std::move(group.results[i].publication));
  }
  publish_group(false, std::move(fresh));
  publish_group(true, std::move(replacing));
  dispatch();
  finish_if_idle();
}

void Scheduler::publish_group(bool replace, std::vector<std::pair<JobPtr, store::Publication>> group) {
  if (group.empty() || done_) return;
  std::vector<store::Publication> publications;
  publications.reserve(group.size());
  for (auto& [job, publication] : group) publications.push_back(std::move(publication));
  const auto results = project_.store().publish(publications, replace);
  if (!results.ok()) {
    give_up(results.error());
    return;
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    const JobPtr& job = group[i].first;
    const StageResult& result = (*results)[i];
    const Work work = works_.take(job->content_key());
    const std::filesystem::path left = job->paths.directory.parent_path();
    if (job->context.number == 1) {
      used_directories_.push_back(left);
    } else {
      static_cast<void>(env::remove_tree(left));  // logs and checkpoints of earlier attempts served their purpose
    }
    if (!work.variants.empty()) {
      tell(Event::Kind::done, job->label, seconds_text(publications[i].seconds));
      for (std::string& line : job->warning_lines()) tell(Event::Kind::notice, job->label, std::move(line));
    }
    for (const Index index : work.variants) {
      if (index != work.variants.front()) {
        const auto linked = project_.store().link(states_.provenance(index).digest, result.content_key);
        if (!linked.ok()) {
          give_up(linked.error());
          return;
        }
      }
      settle_with_result(index, result, VariantState::done);
    }
  }
}

void Scheduler::on_failure(const JobPtr& job, Failure failure) {
  if (job->stalled && failure.cause == FailureCause::cancelled) failure = stall_failure(job->label, *job->stalled);
  const bool cancelled = failure.cause == FailureCause::cancelled;
  const auto state = cancelled ? store::AttemptState::cancelled : store::AttemptState::failed;
  const ExitRecord ended = exit_record(job->paths.exit()).value_or(ExitRecord{});
  if (const auto stored = project_.store().end_attempt(job->attempt_id, state, to_json(failure), ended.seconds);
      !stored.ok()) {
    give_up(stored.error());
    return;
  }
  Work work = works_.take(job->content_key());
  if (work.variants.empty()) {
    tell(Event::Kind::notice, job->label, "a job of another experiment failed: " + failure.what);
  } else if (cancelled) {
    tell(Event::Kind::cancelled, job->label, "what it had saved stays");
  } else if (!stopping_ && is_tried_again(*job, work, failure.cause, ended.kind)) {
    tell(Event::Kind::retrying, job->label,
         failure.what + "; again in " + seconds_text(seconds_of(backoff(work.attempts))), to_json(failure));
    retry_later(job->content_key(), std::move(work));
    dispatch();
    return;
  } else {
    tell(Event::Kind::failed, job->label, failure.what, to_json(failure));
    if (options_.fail_fast) stopping_ = true;
  }
  for (const Index index : work.variants) {
    states_.fail(index, cancelled ? VariantState::cancelled : VariantState::failed, failure.what,
                 std::string(name_of(failure.cause)));
  }
  dispatch();
  finish_if_idle();
}

bool Scheduler::is_tried_again(const RunningJob& job, const Work& work, FailureCause cause, ExitKind ended) const {
  const RetryPolicy& retry = graph_.variants[work.variants.front()].retry;
  if (asks_for_retry(retry, cause) && work.attempts < retry.attempts) return true;
  return job.brief && ended == ExitKind::lost && work.attempts == 1;  // with others, whatever ended their shim
}

void Scheduler::retry_later(const Digest& content_key, Work work) {
  const Index index = work.variants.front();
  const auto wait = backoff(work.attempts);
  works_.put_back(content_key, std::move(work));
  ++waiting_for_retry_;
  loop_.after(wait, [this, index, content_key] {
    --waiting_for_retry_;
    if (stopping_ || done_) return;
    if (works_.try_again(content_key, index)) {
      dispatch();
    } else {
      finish_if_idle();
    }
  });
}

void Scheduler::poll_progress() {
  if (done_) return;
  const std::map<std::string, JobPtr> running = running_;  // to end a stalled job may end it at once
  for (const auto& [nonce, job] : running) {
    for (const Json& record : job->tail.poll()) {
      job->watch.hear(record, loop_.now());
      if (record.value("k", "") != "progress") continue;
      job->progress = record;
      tell(Event::Kind::progress, job->label, canonical(record), record);
    }
    look_for_stall(job);
  }
  loop_.after(kProgressPoll, [this] { poll_progress(); });
}

void Scheduler::look_for_stall(const JobPtr& job) {
  const auto silent = job->watch.stalled(loop_.now());
  if (!silent) return;
  const double seconds = seconds_of(*silent);
  const std::string said = "no progress for " + seconds_text(seconds) + "; last at " + job->watch.position();
  tell(Event::Kind::stalled, job->label, said, {{"seconds", seconds}, {"position", job->watch.position()}});
  if (!job->fail_on_stall) return;
  job->stalled = said;
  executor_.cancel(job->nonce);
}

void Scheduler::interrupt() {
  interrupted_ = true;
  stopping_ = true;
  std::vector<std::string> wanted;
  for (const auto& [nonce, job] : running_) {
    if (!works_.find(job->content_key())->variants.empty()) wanted.push_back(nonce);
  }
  for (const std::string& nonce : wanted) executor_.cancel(nonce);
  finish_if_idle();
}

Snapshot Scheduler::snapshot() const {
  Snapshot now;
  now.experiment = graph_.experiment;
  now.variants = states_.now();
  for (Index i = 0; i < now.variants.size(); ++i) {
    if (now.variants[i].state != VariantState::ready) continue;
    const Work* work = works_.find(states_.content(i).digest);  // absent while its result is being told
    if (work == nullptr || work->job) now.variants[i].state = VariantState::running;
  }
  const auto present = std::chrono::steady_clock::now();
  for (const auto& [nonce, job] : running_) {
    JobNow& one = now.running.emplace_back(job->now(present));
    const Work* work = works_.find(job->content_key());
    for (std::size_t i = 1; work != nullptr && i < work->variants.size(); ++i) {
      one.also_for.push_back(graph_.variants[work->variants[i]].label());
    }
  }
  std::sort(now.running.begin(), now.running.end(), [](const JobNow& a, const JobNow& b) { return a.label < b.label; });
  std::set<std::string> gpus_in_use;
  for (const JobNow& job : now.running) gpus_in_use.insert(job.gpus.begin(), job.gpus.end());
  now.gpus_in_use = static_cast<unsigned>(gpus_in_use.size());
  now.gpus = static_cast<unsigned>(pool_.capacity().gpus.size());
  now.cpus_in_use = static_cast<unsigned>(pool_.use().cpus);
  now.cpus = pool_.capacity().cpus;
  now.memory_in_use = pool_.use().memory_bytes;
  now.memory_bytes = pool_.capacity().memory_bytes;
  now.seconds = std::chrono::duration<double>(present - started_).count();
  now.stopping = stopping_;
  return now;
}

bool Scheduler::cancel(graph::VariantIndex variant) {
  if (!states_.is_open(variant)) return false;
  std::string how = "before it started";
  if (states_.state(variant) == VariantState::ready) {
    const Work& work = *works_.find(states_.content(variant).digest);
    if (work.job && work.variants.size() == 1) {
      const bool runs = running_.contains(work.job->nonce);
      if (runs) executor_.cancel(work.job->nonce);
      return runs;
    }
    if (work.job) how = "its job goes on for others that need the same";
    works_.withdraw(variant);
  }
  tell(Event::Kind::cancelled, graph_.variants[variant].label(), how);
  states_.fail(variant, VariantState::cancelled, "cancelled: " + how, std::string(name_of(FailureCause::cancelled)));
  dispatch();
  finish_if_idle();
  return true;
}

std::vector<graph::VariantIndex> Scheduler::retry(const std::string& cause, const std::set<Index>& only) {
  if (stopping_ || done_) return {};
  std::vector<Index> again = states_.reopen(cause, only);
  for (const Index index : again) tell(Event::Kind::reopened, graph_.variants[index].label());
  dispatch();
  finish_if_idle();
  return again;
}

// The machine failed, not a stage: what runs goes on by itself and is harvested by the next run.
void Scheduler::give_up(const Diagnostics& problems) {
  machine_problems_.insert(machine_problems_.end(), problems.begin(), problems.end());
  stopping_ = true;
  if (!done_) finish();
}

void Scheduler::finish() {
  done_ = true;
  for (const std::filesystem::path& used : used_directories_) static_cast<void>(env::remove_tree(used));
  used_directories_.clear();
  finished_();
}

void Scheduler::finish_if_idle() {
  if (done_) return;
  if (states_.unsettled() > 0 && !(stopping_ && works_.in_flight() == 0)) {
    LB_CHECK(stopping_ || works_.in_flight() > 0 || waiting_for_retry_ > 0 ||
             !running_.empty());  // whatever fits has started
    return;
  }
  if (!interrupted_) not_started_ = states_.unsettled();
  finish();
}

void Scheduler::tell(Event::Kind kind, const std::string& label, std::string text, Json failure) {
  observer_.on_event({.kind = kind, .label = label, .text = std::move(text), .failure = std::move(failure)});
}

}  // namespace lowbit::exec
