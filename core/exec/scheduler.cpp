#include "exec/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
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

/// Attempts of an older lowbit say no more than how many threads they use.
Grant lease_of(const JobRequest& request) {
  return request.lease.is_object() ? grant_of(request.lease) : Grant{.cpus = request.threads};
}

/// The seeds of one point are shown together.
std::string point_of(const Coordinates& coordinates) {
  Coordinates without_seed;
  for (const auto& [axis, value] : coordinates.entries()) {
    if (axis != "seed") without_seed.set(axis, value);
  }
  return without_seed.text();
}

/// Of what a plugin wrote, for a line of its own.
std::string first_line(const std::string& text) {
  constexpr std::size_t kLongest = 300;  // bytes
  const std::string_view line = utf8_prefix(std::string_view(text).substr(0, text.find('\n')), kLongest);
  return line.size() == text.size() ? text : std::string(line) + " …";
}

Failure stall_failure(const std::string& label, const std::string& said) {
  return {FailureCause::stalled, "the job stopped making progress", label, said,
          "see `lowbit logs '" + label + "'`; raise `resources.stall` if it only needs longer"};
}

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
      nodes_(graph.variants.size()),
      dependencies_(graph),
      pool_(options_.capacity) {}

void Scheduler::start(const std::vector<Adopted>& adopted) {
  unsettled_ = nodes_.size();
  count_reused();
  for (const Adopted& one : adopted) adopt(one);
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].state == State::waiting && dependencies_.waiting_for(i) == 0) unblocked_.push_back(i);
  }
  dispatch();
  loop_.after(kProgressPoll, [this] { poll_progress(); });
  finish_if_idle();
}

void Scheduler::count_reused() {
  std::vector<double> seconds = expected_seconds(graph_, options_.history);
  for (Index i = 0; i < nodes_.size(); ++i) {
    const graph::PlannedVariant& planned = plan_.variants[i];
    Node& node = nodes_[i];
    node.provenance = planned.provenance;
    node.gate = planned.gate;
    if (options_.only && planned.decision != graph::Decision::reuse && !options_.only->contains(i)) {
      node.state = State::left_out;
      node.settled_as = VariantState::left_out;
    } else if (planned.decision == graph::Decision::reuse) {
      node.settled_as = planned.gate.empty() ? VariantState::reused : VariantState::gated;
      node.text = planned.gate;
      node.state = planned.gate.empty() ? State::done : State::gated;
      node.outputs = planned.result->outputs;
      ++summary_.reused;
      if (!planned.gate.empty()) ++summary_.gated;
    } else if (planned.decision == graph::Decision::gated) {
      node.state = State::behind_gate;
      node.settled_as = VariantState::behind_gate;
      node.text = planned.gate;
      ++summary_.behind_gate;
    } else {
      continue;
    }
    seconds[i] = 0;
    --unsettled_;
    static_cast<void>(dependencies_.settle(i));
  }
  priorities_ = critical_paths(dependencies_, seconds);
}

// It has what its attempt says until its lock is free, whether a variant of this graph needs its result or not.
void Scheduler::adopt(const Adopted& adopted) {
  const auto job = std::make_shared<Job>(Job{.attempt_id = adopted.row.id,
                                             .label = adopted.row.stage_label,
                                             .paths = adopted.paths,
                                             .context = adopted.context,
                                             .nonce = adopted.row.nonce,
                                             .lease = pool_.take_over(lease_of(adopted.request)),
                                             .tail = JournalTail(adopted.paths.journal()),
                                             .watch = ProgressWatch(0ms, loop_.now()),
                                             .stalled = {}});
  if (!works_.try_emplace(job->context.content.digest, Work{.variants = {}, .attempts = 1, .job = job}).second) {
    executor_.adopt(adopted.request, adopted.paths, [this, job] {  // twice the same: one result
      job->lease.release();
      dispatch();
    });
    return;
  }
  running_.emplace(job->nonce, job);
  executor_.adopt(adopted.request, adopted.paths, [this, job] { on_end(job); });
}

std::optional<ArtifactRef> Scheduler::artifact_of(const graph::Member& member) const {
  if (const auto* external = std::get_if<graph::External>(&member.source)) {
    return ArtifactRef{.type = external->type, .digest = files_.externals.at(external->path)};
  }
  const auto& produced = std::get<graph::Produced>(member.source);
  const Node& producer = nodes_[produced.producer];
  const auto output = producer.outputs.find(produced.port);
  if (producer.state != State::done || output == producer.outputs.end() || unjudged_by(produced)) return std::nullopt;
  return output->second;
}

/// Whose gate should have let it through and did not.
std::optional<graph::VariantIndex> Scheduler::unjudged_by(const graph::Produced& produced) const {
  for (const Index keeper : produced.keepers) {
    if (nodes_[keeper].state != State::done) return keeper;
  }
  return std::nullopt;
}

std::optional<Scheduler::Obstacle> Scheduler::obstacle_of(Index index) const {
  for (const graph::BoundInput& input : graph_.variants[index].inputs) {
    std::uint64_t present = 0;
    const graph::Produced* missing = nullptr;
    for (const graph::Member& member : input.members) {
      if (artifact_of(member)) {
        ++present;
      } else if (missing == nullptr) {
        missing = &std::get<graph::Produced>(member.source);
      }
    }
    if (missing == nullptr || (input.min_members && present >= *input.min_members)) continue;
    const auto keeper = nodes_[missing->producer].state == State::done ? unjudged_by(*missing) : std::nullopt;
    const Node& holder = nodes_[keeper.value_or(missing->producer)];
    const std::string label = graph_.variants[keeper.value_or(missing->producer)].label();
    if (holder.state == State::gated || holder.state == State::behind_gate) {
      const std::string gate = holder.state == State::gated ? graph::behind_gate(label, holder.gate) : holder.gate;
      return Obstacle{State::behind_gate, gate, gate};
    }
    return Obstacle{State::blocked,
                    keeper ? "input " + input.port + " waits for the gate of " + label + ", which has no result"
                           : "input " + input.port + " needs " + label + "." + missing->port + ", which is not there",
                    {}};
  }
  return std::nullopt;
}

// The plan's provenance key counts on every member; a result made without some of them must not be found under it.
graph::Key Scheduler::provenance_with_present_members(Index index) const {
  return graph::make_key(
      plan_.variants[index].own, graph_.variants[index], [&](const graph::Member& member) -> std::string {
        const auto artifact = artifact_of(member);
        if (!artifact) return {};
        if (const auto* produced = std::get_if<graph::Produced>(&member.source)) {
          return graph::produced_record(nodes_[produced->producer].provenance.digest, produced->port);
        }
        return graph::artifact_record(artifact->type, artifact->digest);
      });
}

void Scheduler::make_ready(Index index) {
  if (stopping_ || nodes_[index].state != State::waiting) return;  // cancelled meanwhile
  if (const auto obstacle = obstacle_of(index)) {
    Node& node = nodes_[index];
    node.gate = obstacle->gate;
    ++(obstacle->state == State::blocked ? summary_.blocked : summary_.behind_gate);
    tell(Event::Kind::blocked, graph_.variants[index].label(), obstacle->reason);
    settle(index, obstacle->state,
           obstacle->state == State::blocked ? VariantState::blocked : VariantState::behind_gate, obstacle->reason);
    return;
  }
  Node& node = nodes_[index];
  node.content = graph::content_key_for(plan_.variants[index].own, graph_.variants[index],
                                        [&](const graph::Member& member) { return artifact_of(member); });
  node.provenance = provenance_with_present_members(index);
  if (cut_off(index)) return;
  node.state = State::scheduled;
  const auto [work, fresh] = works_.try_emplace(node.content->digest);
  if (!fresh) {
    join(work->second, index);
    return;
  }
  work->second.variants = {index};
  enqueue(index);
}

void Scheduler::enqueue(Index index) {
  ready_.push(index, demand_of(graph_.variants[index].resources, pool_.capacity()), priorities_[index]);
}

// The same work under another name, or a job that another host started: one job for all of them.
void Scheduler::join(Work& work, Index index) {
  const bool adopted = work.variants.empty();
  work.variants.push_back(index);
  if (!adopted) return;
  ++in_flight_;
  Job& job = *work.job;
  const graph::Variant& variant = graph_.variants[index];
  job.label = variant.label();
  job.watch = ProgressWatch(variant.resources.stall, loop_.now());
  job.fail_on_stall = variant.resources.fail_on_stall;
  tell(Event::Kind::adopted, job.label, "still running since " + job.context.started_at);
}

// The planner's own decision, now that the inputs are known.
bool Scheduler::cut_off(Index index) {
  Node& node = nodes_[index];
  graph::PlannedVariant known = plan_.variants[index];
  known.provenance = node.provenance;
  known.content = node.content;
  known = graph::decide(std::move(known), graph_.experiment, graph_.variants[index], files_.plugins, project_.store(),
                        options_.plan);
  if (known.decision != graph::Decision::reuse) return false;
  if (const auto linked = project_.store().link(node.provenance.digest, node.content->digest); !linked.ok()) {
    give_up(linked.error());
    return true;
  }
  ++summary_.cut_off;
  tell(Event::Kind::cut_off, graph_.variants[index].label(), "its inputs came out as they were");
  settle_with_result(index, *known.result, VariantState::cut_off);
  return true;
}

void Scheduler::settle_with_result(Index index, const StageResult& result, VariantState settled_as) {
  Node& node = nodes_[index];
  node.outputs = result.outputs;
  node.gate = graph::gate_problem(graph_.variants[index].gates, result.metrics);
  if (node.gate.empty()) {
    settle(index, State::done, settled_as);
    return;
  }
  ++summary_.gated;
  if (const auto recorded = project_.store().record_gates({{result.content_key, node.gate}}); !recorded.ok()) {
    give_up(recorded.error());
    return;
  }
  tell(Event::Kind::gated, graph_.variants[index].label(), node.gate);
  settle(index, State::gated, VariantState::gated, node.gate);
}

void Scheduler::settle(Index index, State state, VariantState settled_as, std::string text, std::string cause) {
  Node& node = nodes_[index];
  node.state = state;
  node.settled_as = settled_as;
  node.text = std::move(text);
  node.cause = std::move(cause);
  --unsettled_;
  for (const Index consumer : dependencies_.settle(index)) {
    if (nodes_[consumer].state == State::waiting) unblocked_.push_back(consumer);
  }
}

// A queue, not recursion: a chain of cut-offs may be as long as the graph.
void Scheduler::drain() {
  while (!unblocked_.empty() && !done_) {
    const Index index = unblocked_.front();
    unblocked_.pop_front();
    make_ready(index);
  }
}

void Scheduler::dispatch() {
  drain();
  while (!stopping_ && !done_) {
    const auto next = ready_.pop(pool_);
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
  Node& node = nodes_[index];
  Lease lease = pool_.take(demand_of(variant.resources, pool_.capacity()));
  std::filesystem::path used;
  if (!used_directories_.empty()) {
    used = std::move(used_directories_.back());
    used_directories_.pop_back();
  }
  auto attempt = new_attempt(project_, files_,
                             {.variant = variant,
                              .own_record = plan_.variants[index].own,
                              .content = *node.content,
                              .provenance_key = node.provenance.digest,
                              .artifact_of = [this](const graph::Member& member) { return artifact_of(member); },
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
  const JobRequest& request = attempt->request;
  const auto job = std::make_shared<Job>(Job{.attempt_id = attempt->context.attempt_id,
                                             .label = request.stage_label,
                                             .paths = attempt->paths,
                                             .context = std::move(attempt->context),
                                             .nonce = request.attempt,
                                             .lease = std::move(lease),
                                             .tail = JournalTail(attempt->paths.journal()),
                                             .watch = ProgressWatch(variant.resources.stall, loop_.now()),
                                             .fail_on_stall = variant.resources.fail_on_stall,
                                             .brief = request.brief,
                                             .stalled = {}});
  if (attempt->checkpoint_refused) {
    tell(Event::Kind::notice, job->label,
         "starts from nothing: its checkpoint was made in another numeric environment");
  }
  if (!attempt->carry_gap.empty()) tell(Event::Kind::notice, job->label, attempt->carry_gap);
  std::vector<std::string> environment = job_environment(variant.plugin->environment, request.threads, request.attempt);
  if (!pool_.capacity().gpus.empty()) restrict_gpus(environment, job->lease.grant().gpus);
  const auto started = executor_.start(request, job->paths, environment, [this, job] { on_end(job); });
  if (!started.ok()) {
    give_up(started.error());
    return;
  }
  Work& work = works_.at(node.content->digest);
  ++work.attempts;
  work.job = job;
  running_.emplace(job->nonce, job);
  ++in_flight_;
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
  auto outcome = std::make_shared<std::optional<Result<std::variant<CheckedResult, Failure>>>>();
  loop_.in_background(
      [this, job, outcome] {
        const Result<ExitRecord> ended = end_of(job->paths, job->nonce);
        outcome->emplace(ended.ok() ? check(project_.paths(), job->paths, job->context, *ended) : ended.error());
      },
      [this, job, outcome] { on_checked(job, std::move(**outcome)); });
  if (!options_.fail_fast) dispatch();  // with it, nothing starts before it is known how this one ended
}

void Scheduler::on_checked(const JobPtr& job, Result<std::variant<CheckedResult, Failure>> outcome) {
  if (done_) return;
  if (!outcome.ok()) {
    give_up(outcome.error());
    return;
  }
  if (auto* failure = std::get_if<Failure>(&*outcome)) {
    on_failure(job, std::move(*failure));
    return;
  }
  const std::vector<Index>& variants = works_.at(job->context.content.digest).variants;
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

Scheduler::Work Scheduler::take_work(const JobPtr& job) {
  const auto found = works_.find(job->context.content.digest);
  Work work = std::move(found->second);
  works_.erase(found);
  if (!work.variants.empty()) --in_flight_;
  return work;
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
    const Work work = take_work(job);
    const std::filesystem::path left = job->paths.directory.parent_path();
    if (job->context.number == 1) {
      used_directories_.push_back(left);
    } else {
      static_cast<void>(env::remove_tree(left));  // logs and checkpoints of earlier attempts served their purpose
    }
    if (!work.variants.empty()) {
      tell(Event::Kind::done, job->label, seconds_text(publications[i].seconds));
      tell_warnings(*job);
    }
    for (const Index index : work.variants) {
      ++summary_.done;
      if (index != work.variants.front()) {
        const auto linked = project_.store().link(nodes_[index].provenance.digest, result.content_key);
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
  Work work = take_work(job);
  if (work.variants.empty()) {
    tell(Event::Kind::notice, job->label, "a job of another experiment failed: " + failure.what);
  } else if (cancelled) {
    tell(Event::Kind::cancelled, job->label, "what it had saved stays");
    summary_.cancelled += work.variants.size();
  } else if (!stopping_ && is_tried_again(*job, work, failure.cause, ended.kind)) {
    tell(Event::Kind::retrying, job->label,
         failure.what + "; again in " + seconds_text(seconds_of(backoff(work.attempts))), to_json(failure));
    retry_later(job->context.content.digest, std::move(work));
    dispatch();
    return;
  } else {
    tell(Event::Kind::failed, job->label, failure.what, to_json(failure));
    summary_.failed += work.variants.size();
    if (options_.fail_fast) stopping_ = true;
  }
  for (const Index index : work.variants) {
    settle(index, State::failed, cancelled ? VariantState::cancelled : VariantState::failed, failure.what,
           std::string(name_of(failure.cause)));
  }
  dispatch();
  finish_if_idle();
}

bool Scheduler::is_tried_again(const Job& job, const Work& work, FailureCause cause, ExitKind ended) const {
  const RetryPolicy& retry = graph_.variants[work.variants.front()].retry;
  if (asks_for_retry(retry, cause) && work.attempts < retry.attempts) return true;
  return job.brief && ended == ExitKind::lost && work.attempts == 1;  // with others, whatever ended their shim
}

void Scheduler::retry_later(const Digest& content_key, Work work) {
  const Index index = work.variants.front();
  const auto wait = backoff(work.attempts);
  work.job.reset();
  works_.emplace(content_key, std::move(work));
  ++waiting_for_retry_;
  loop_.after(wait, [this, index, content_key] {
    --waiting_for_retry_;
    if (stopping_ || done_) return;
    const auto found = works_.find(content_key);
    if (found == works_.end() || found->second.job || found->second.variants.front() != index) {  // cancelled meanwhile
      finish_if_idle();
      return;
    }
    enqueue(index);
    dispatch();
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
  summary_.interrupted = true;
  stopping_ = true;
  std::vector<std::string> wanted;
  for (const auto& [nonce, job] : running_) {
    if (!works_.at(job->context.content.digest).variants.empty()) wanted.push_back(nonce);
  }
  for (const std::string& nonce : wanted) executor_.cancel(nonce);
  finish_if_idle();
}

Snapshot Scheduler::snapshot() const {
  Snapshot now;
  now.experiment = graph_.experiment;
  now.variants.reserve(nodes_.size());
  for (Index i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    const graph::Variant& variant = graph_.variants[i];
    VariantState state = node.settled_as;
    if (node.state == State::scheduled) {
      const auto work = works_.find(node.content->digest);  // absent while its result is being told
      state = work == works_.end() || work->second.job ? VariantState::running : VariantState::ready;
    }
    now.variants.push_back({.label = variant.label(),
                            .stage = variant.stage,
                            .state = state,
                            .text = node.text,
                            .cause = node.cause,
                            .point = point_of(variant.coordinates),
                            .plugin = variant.plugin->id,
                            .cpus = variant.resources.cpus});
  }
  const auto present = std::chrono::steady_clock::now();
  for (const auto& [nonce, job] : running_) {
    JobNow one{.label = job->label,
               .also_for = {},
               .seconds = std::chrono::duration<double>(present - job->since).count(),
               .progress = job->progress,
               .cpus = job->lease.grant().cpus,
               .gpus = {},
               .memory_bytes = job->lease.grant().memory_bytes,
               .rates = job->lease.grant().rates,
               .speed = job->watch.speed()};
    for (const GpuGrant& gpu : job->lease.grant().gpus) one.gpus.push_back(gpu.id);
    if (const auto work = works_.find(job->context.content.digest); work != works_.end()) {
      const std::vector<Index>& variants = work->second.variants;
      for (std::size_t i = 1; i < variants.size(); ++i) one.also_for.push_back(graph_.variants[variants[i]].label());
    }
    now.running.push_back(std::move(one));
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

/// It has not settled, so others may wait for it.
bool Scheduler::is_open(Index index) const {
  return nodes_[index].state == State::waiting || nodes_[index].state == State::scheduled;
}

bool Scheduler::cancel(graph::VariantIndex variant) {
  if (!is_open(variant)) return false;
  std::string how = "before it started";
  if (nodes_[variant].state == State::scheduled) {
    const Work& work = works_.at(nodes_[variant].content->digest);
    if (work.job && work.variants.size() == 1) {
      const bool runs = running_.contains(work.job->nonce);
      if (runs) executor_.cancel(work.job->nonce);
      return runs;
    }
    if (work.job) how = "its job goes on for others that need the same";
    withdraw(variant);
  }
  ++summary_.cancelled;
  tell(Event::Kind::cancelled, graph_.variants[variant].label(), how);
  settle(variant, State::failed, VariantState::cancelled, "cancelled: " + how,
         std::string(name_of(FailureCause::cancelled)));
  dispatch();
  finish_if_idle();
  return true;
}

/// Takes a variant out of the work that is to be done for it and for others, or that no job does yet.
void Scheduler::withdraw(Index index) {
  const Digest key = nodes_[index].content->digest;
  Work& work = works_.at(key);
  const bool first = work.variants.front() == index;
  if (first && !work.job) {
    static_cast<void>(
        ready_.remove(index, demand_of(graph_.variants[index].resources, pool_.capacity()), priorities_[index]));
  }
  work.variants.erase(std::find(work.variants.begin(), work.variants.end(), index));
  if (work.variants.empty()) {
    works_.erase(key);
  } else if (work.job) {
    work.job->label = graph_.variants[work.variants.front()].label();
  } else if (first) {
    enqueue(work.variants.front());
  }
}

std::vector<graph::VariantIndex> Scheduler::retry(const std::string& cause, const std::set<Index>& only) {
  std::vector<Index> again;
  if (stopping_ || done_) return again;
  std::vector<bool> reopened(nodes_.size(), false);
  for (Index i = 0; i < nodes_.size(); ++i) {  // producers stand before what they block
    const Node& node = nodes_[i];
    const bool asked_for = (cause.empty() || node.cause == cause) && (only.empty() || only.contains(i));
    if (node.state == State::failed) reopened[i] = asked_for;
    if (!reopened[i]) continue;
    again.push_back(i);
    for (const Index consumer : dependencies_.consumers_of(i)) {
      if (nodes_[consumer].state == State::blocked) reopened[consumer] = true;
    }
  }
  reopen(again);
  dispatch();
  finish_if_idle();
  return again;
}

void Scheduler::reopen(const std::vector<Index>& variants) {
  for (const Index index : variants) {
    Node& node = nodes_[index];
    --(node.settled_as == VariantState::failed      ? summary_.failed
       : node.settled_as == VariantState::cancelled ? summary_.cancelled
                                                    : summary_.blocked);
    node.state = State::waiting;
    node.settled_as = VariantState::waiting;
    node.content.reset();
    node.text.clear();
    node.cause.clear();
    ++unsettled_;
    tell(Event::Kind::reopened, graph_.variants[index].label());
  }
  dependencies_.recount([&](Index index) { return !is_open(index); });  // what waited already may wait for them again
  for (const Index index : variants) {
    if (dependencies_.waiting_for(index) == 0) unblocked_.push_back(index);
  }
}

// The machine failed, not a stage: what runs goes on by itself and is harvested by the next run.
void Scheduler::give_up(const Diagnostics& problems) {
  summary_.machine.insert(summary_.machine.end(), problems.begin(), problems.end());
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
  if (unsettled_ > 0 && !(stopping_ && in_flight_ == 0)) {
    LB_CHECK(stopping_ || in_flight_ > 0 || waiting_for_retry_ > 0 || !running_.empty());  // whatever fits has started
    return;
  }
  if (!summary_.interrupted) summary_.not_started = unsettled_;
  finish();
}

// All of them stay in its log: `lowbit logs`.
void Scheduler::tell_warnings(const Job& job) {
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(kShown, job.warnings.size()); ++i) {
    tell(Event::Kind::notice, job.label, "warning: " + first_line(job.warnings[i]));
  }
  if (const std::size_t n = job.warnings.size(); n > kShown) {
    tell(Event::Kind::notice, job.label,
         "warning: " + std::to_string(n - kShown) + " more, see `lowbit logs '" + job.label + "'`");
  }
}

void Scheduler::tell(Event::Kind kind, const std::string& label, std::string text, Json failure) {
  observer_.on_event({.kind = kind, .label = label, .text = std::move(text), .failure = std::move(failure)});
}

}  // namespace lowbit::exec
