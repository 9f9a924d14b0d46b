#include "exec/scheduler.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/check.h"
#include "env/files.h"
#include "exec/job_environment.h"
#include "exec/journal.h"

namespace lowbit::exec {
namespace {

using namespace std::chrono_literals;

// Results that come within this time share one transaction and so one sync of the database.
constexpr auto kPublishWindow = 5ms;
constexpr std::size_t kPublishGroup = 64;
constexpr auto kProgressPoll = 1000ms;

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f s", seconds);
  return text.data();
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
      nodes_(graph.variants.size()) {}

void Scheduler::start(std::vector<Adopted> adopted) {
  for (Adopted& a : adopted) adopted_.emplace(a.context.content.digest, std::move(a));
  unsettled_ = nodes_.size();
  for (Index i = 0; i < nodes_.size(); ++i) {
    nodes_[i].provenance = plan_.variants[i].provenance;
    if (plan_.variants[i].decision != graph::Decision::reuse) {
      if (!options_.only || options_.only->contains(i)) continue;
      nodes_[i].state = State::left_out;
      nodes_[i].settled_as = VariantState::left_out;
      --unsettled_;
      continue;
    }
    nodes_[i].state = State::done;
    nodes_[i].settled_as = VariantState::reused;
    nodes_[i].outputs = plan_.variants[i].result->outputs;
    ++summary_.reused;
    --unsettled_;
  }
  count_producers();
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].state == State::waiting && nodes_[i].waiting_for == 0) unblocked_.push_back(i);
  }
  dispatch();
  loop_.after(kProgressPoll, [this] { poll_progress(); });
  finish_if_idle();
}

std::set<graph::VariantIndex> Scheduler::producers_of(Index index) const {
  std::set<Index> producers;
  for (const graph::BoundInput& input : graph_.variants[index].inputs) {
    for (const graph::Member& member : input.members) {
      if (const auto* produced = std::get_if<graph::Produced>(&member.source)) producers.insert(produced->producer);
    }
  }
  return producers;
}

void Scheduler::count_producers() {
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].state != State::waiting) continue;
    for (const Index producer : producers_of(i)) {
      if (nodes_[producer].state == State::done) continue;
      nodes_[producer].consumers.push_back(i);
      ++nodes_[i].waiting_for;
    }
  }
}

std::optional<ArtifactRef> Scheduler::artifact_of(const graph::Member& member) const {
  if (const auto* external = std::get_if<graph::External>(&member.source)) {
    return ArtifactRef{.type = external->type, .digest = files_.externals.at(external->path)};
  }
  const auto& produced = std::get<graph::Produced>(member.source);
  const Node& producer = nodes_[produced.producer];
  const auto output = producer.outputs.find(produced.port);
  if (producer.state != State::done || output == producer.outputs.end()) return std::nullopt;
  return output->second;
}

bool Scheduler::inputs_allow(Index index, std::string& reason) const {
  const graph::Variant& variant = graph_.variants[index];
  for (const graph::BoundInput& input : variant.inputs) {
    std::uint64_t present = 0;
    std::string missing;
    for (const graph::Member& member : input.members) {
      if (artifact_of(member)) {
        ++present;
      } else if (missing.empty()) {
        const auto& produced = std::get<graph::Produced>(member.source);
        missing = graph_.variants[produced.producer].label() + "." + produced.port;
      }
    }
    if (present == input.members.size() || (input.min_members && present >= *input.min_members)) continue;
    reason = "input " + input.port + " needs " + missing + ", which is not there";
    return false;
  }
  return true;
}

// The plan's provenance key counts on every member; a result made without some of them must not be found under it.
graph::Key Scheduler::provenance_with_present_members(Index index) const {
  return graph::make_key(plan_.variants[index].own, graph_.variants[index], [&](const graph::Member& member) -> Json {
    const auto artifact = artifact_of(member);
    if (!artifact) return nullptr;
    if (const auto* produced = std::get_if<graph::Produced>(&member.source)) {
      return graph::produced_record(nodes_[produced->producer].provenance.digest, produced->port);
    }
    return graph::artifact_record(artifact->type, artifact->digest);
  });
}

void Scheduler::make_ready(Index index) {
  if (stopping_) return;
  std::string reason;
  if (!inputs_allow(index, reason)) {
    block(index, reason);
    return;
  }
  Node& node = nodes_[index];
  node.content = graph::content_key_for(plan_.variants[index].own, graph_.variants[index],
                                        [&](const graph::Member& member) { return artifact_of(member); });
  node.provenance = provenance_with_present_members(index);
  if (cut_off(index)) return;
  node.state = State::ready;
  ready_.insert(index);
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
  node.outputs = std::move(known.result->outputs);
  ++summary_.cut_off;
  tell(Event::Kind::cut_off, graph_.variants[index].label(), "its inputs came out as they were");
  settle(index, State::done, VariantState::cut_off);
  return true;
}

void Scheduler::settle(Index index, State state, VariantState settled_as, std::string text, std::string cause) {
  Node& node = nodes_[index];
  node.state = state;
  node.settled_as = settled_as;
  node.text = std::move(text);
  node.cause = std::move(cause);
  --unsettled_;
  for (const Index consumer : node.consumers) {
    // One that was cancelled while it waited, or that went on without this member, waits for nothing.
    if (nodes_[consumer].state == State::waiting && --nodes_[consumer].waiting_for == 0) {
      unblocked_.push_back(consumer);
    }
  }
}

void Scheduler::block(Index index, const std::string& reason) {
  ++summary_.blocked;
  tell(Event::Kind::blocked, graph_.variants[index].label(), reason);
  settle(index, State::blocked, VariantState::blocked, reason);
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
  for (auto it = ready_.begin(); it != ready_.end() && !stopping_;) {
    const Index index = *it;
    const Digest key = nodes_[index].content->digest;
    if (const auto running = running_.find(key); running != running_.end()) {
      nodes_[index].state = State::running;  // the same work under another name: one job for both
      running->second->variants.push_back(index);
      it = ready_.erase(it);
      continue;
    }
    const unsigned wanted = std::min(graph_.variants[index].resources.cpus, options_.cpus);
    if (!adopted_.contains(key) && cpus_in_use_ > 0 && cpus_in_use_ + wanted > options_.cpus) {
      ++it;
      continue;
    }
    it = ready_.erase(it);
    launch(index);
    if (done_) return;
  }
}

void Scheduler::launch(Index index) {
  const graph::Variant& variant = graph_.variants[index];
  Node& node = nodes_[index];
  if (const auto found = adopted_.find(node.content->digest); found != adopted_.end()) {
    const Adopted& adopted = found->second;
    const auto job = std::make_shared<Running>(Running{.attempt_id = adopted.row.id,
                                                       .label = variant.label(),
                                                       .variants = {index},
                                                       .paths = adopted.paths,
                                                       .context = adopted.context,
                                                       .nonce = adopted.row.nonce,
                                                       .cpus = std::min(variant.resources.cpus, options_.cpus),
                                                       .tail = JournalTail(adopted.paths.journal())});
    cpus_in_use_ += job->cpus;
    node.state = State::running;
    ++node.attempts;
    running_.emplace(node.content->digest, job);
    tell(Event::Kind::adopted, job->label, "still running since " + adopted.row.started_at);
    executor_.adopt(adopted.request, adopted.paths, [this, job] { on_end(job); });
    adopted_.erase(found);
    return;
  }
  auto attempt = new_attempt(project_, files_,
                             {.variant = variant,
                              .own_record = plan_.variants[index].own,
                              .content = *node.content,
                              .provenance_key = node.provenance.digest,
                              .artifact_of = [this](const graph::Member& member) { return artifact_of(member); },
                              .threads = std::min(variant.resources.cpus, options_.cpus),
                              .run = options_.run},
                             options_.socket_path);
  if (!attempt.ok()) {
    give_up(attempt.error());
    return;
  }
  const JobRequest& request = attempt->request;
  const auto job = std::make_shared<Running>(Running{.attempt_id = attempt->context.attempt_id,
                                                     .label = request.stage_label,
                                                     .variants = {index},
                                                     .paths = attempt->paths,
                                                     .context = attempt->context,
                                                     .nonce = request.attempt,
                                                     .cpus = request.threads,
                                                     .tail = JournalTail(attempt->paths.journal())});
  if (attempt->checkpoint_refused) {
    tell(Event::Kind::notice, job->label,
         "starts from nothing: its checkpoint was made in another numeric environment");
  }
  if (!attempt->carry_gap.empty()) tell(Event::Kind::notice, job->label, attempt->carry_gap);
  const auto started = executor_.start(request, job->paths,
                                       job_environment(variant.plugin->environment, request.threads, request.attempt),
                                       [this, job] { on_end(job); });
  if (!started.ok()) {
    give_up(started.error());
    return;
  }
  cpus_in_use_ += job->cpus;
  node.state = State::running;
  ++node.attempts;
  running_.emplace(node.content->digest, job);
  if (request.resume_from.empty()) {
    tell(Event::Kind::started, job->label);
  } else {
    tell(Event::Kind::resumed, job->label, "from checkpoint " + request.resume_from.filename().string());
  }
}

void Scheduler::on_end(const RunningPtr& job) {
  auto prepared = std::make_shared<std::optional<Result<Prepared>>>();
  loop_.in_background(
      [this, job, prepared] {
        if (!env::exists(job->paths.exit())) {
          if (auto buried = bury(job->paths, job->nonce); !buried.ok()) {
            prepared->emplace(std::move(buried).error());
            return;
          }
        }
        prepared->emplace(prepare(project_.paths(), job->paths, job->context));
      },
      [this, job, prepared] { on_prepared(job, std::move(**prepared)); });
}

void Scheduler::on_prepared(const RunningPtr& job, Result<Prepared> prepared) {
  if (!prepared.ok()) {
    running_.erase(job->context.content.digest);
    cpus_in_use_ -= job->cpus;
    give_up(prepared.error());
    return;
  }
  if (const auto* failure = std::get_if<Failure>(&*prepared)) {
    on_failure(job, *failure);
    return;
  }
  to_publish_.emplace_back(job, std::get<store::Publication>(*std::move(prepared)));
  if (to_publish_.size() >= kPublishGroup) {
    publish_ready();
  } else if (!publish_scheduled_) {
    publish_scheduled_ = true;
    loop_.after(kPublishWindow, [this] { publish_ready(); });
  }
}

void Scheduler::publish_ready() {
  publish_scheduled_ = false;
  if (done_) return;
  for (const bool replace : {false, true}) {
    std::vector<RunningPtr> jobs;
    std::vector<store::Publication> publications;
    for (auto& [job, publication] : to_publish_) {
      if (job->context.replace != replace) continue;
      jobs.push_back(job);
      publications.push_back(publication);
    }
    if (jobs.empty()) continue;
    const auto results = project_.store().publish(publications, replace);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const RunningPtr& job = jobs[i];
      running_.erase(job->context.content.digest);
      cpus_in_use_ -= job->cpus;
      if (!results.ok()) continue;
      const StageResult& result = (*results)[i];
      // Logs and checkpoints of earlier attempts served their purpose.
      static_cast<void>(env::remove_tree(project_.paths().work() / job->context.content.digest.hex()));
      tell(Event::Kind::done, job->label, seconds_text(publications[i].seconds));
      for (const Index index : job->variants) {
        nodes_[index].outputs = result.outputs;
        ++summary_.done;
        if (index != job->variants.front()) {
          const auto linked = project_.store().link(nodes_[index].provenance.digest, result.content_key);
          if (!linked.ok()) {
            give_up(linked.error());
            continue;
          }
        }
        settle(index, State::done, VariantState::done);
      }
    }
    if (!results.ok()) {
      to_publish_.clear();
      give_up(results.error());
      return;
    }
  }
  to_publish_.clear();
  dispatch();
  finish_if_idle();
}

void Scheduler::on_failure(const RunningPtr& job, const Failure& failure) {
  running_.erase(job->context.content.digest);
  cpus_in_use_ -= job->cpus;
  const bool cancelled = failure.cause == FailureCause::cancelled;
  const auto state = cancelled ? store::AttemptState::cancelled : store::AttemptState::failed;
  const double seconds = exit_record(job->paths.exit()).value_or(ExitRecord{}).seconds;
  if (const auto stored = project_.store().end_attempt(job->attempt_id, state, to_json(failure), seconds);
      !stored.ok()) {
    give_up(stored.error());
    return;
  }
  if (cancelled) {
    tell(Event::Kind::cancelled, job->label, "what it had saved stays");
    summary_.cancelled += job->variants.size();
    for (const Index index : job->variants) {
      settle(index, State::failed, VariantState::cancelled, failure.what, std::string(name_of(failure.cause)));
    }
    dispatch();  // one job may have been cancelled without the run
    finish_if_idle();
    return;
  }
  const RetryPolicy& retry = graph_.variants[job->variants.front()].retry;
  const auto asked = [&](RetryCause cause) {
    return std::find(retry.on.begin(), retry.on.end(), cause) != retry.on.end();
  };
  const bool retryable = (failure.cause == FailureCause::resource && asked(RetryCause::resource)) ||
                         (failure.cause == FailureCause::preempted && asked(RetryCause::preempted)) ||
                         (failure.cause == FailureCause::resource && asked(RetryCause::transient));
  if (retryable && !stopping_ && nodes_[job->variants.front()].attempts < retry.attempts) {
    tell(Event::Kind::retrying, job->label, failure.what);
    for (const Index index : job->variants) {
      nodes_[index].state = State::ready;
      ready_.insert(index);
    }
  } else {
    tell(Event::Kind::failed, job->label, failure.what, to_json(failure));
    for (const Index index : job->variants) {
      ++summary_.failed;
      settle(index, State::failed, VariantState::failed, failure.what, std::string(name_of(failure.cause)));
    }
  }
  dispatch();
  finish_if_idle();
}

void Scheduler::poll_progress() {
  if (done_) return;
  for (const auto& [key, job] : running_) {
    for (const Json& record : job->tail.poll()) {
      if (record.value("k", "") != "progress") continue;
      job->progress = record;
      tell(Event::Kind::progress, job->label, canonical(record), record);
    }
  }
  loop_.after(kProgressPoll, [this] { poll_progress(); });
}

void Scheduler::interrupt() {
  summary_.interrupted = true;
  stopping_ = true;
  for (const auto& [key, job] : running_) executor_.cancel(job->nonce);
  finish_if_idle();
}

Snapshot Scheduler::snapshot() const {
  Snapshot now;
  now.experiment = graph_.experiment;
  now.variants.reserve(nodes_.size());
  for (Index i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    const graph::Variant& variant = graph_.variants[i];
    const VariantState state = node.state == State::waiting   ? VariantState::waiting
                               : node.state == State::ready   ? VariantState::ready
                               : node.state == State::running ? VariantState::running
                                                              : node.settled_as;
    now.variants.push_back(
        {.label = variant.label(), .stage = variant.stage, .state = state, .text = node.text, .cause = node.cause});
  }
  const auto present = std::chrono::steady_clock::now();
  for (const auto& [key, job] : running_) {
    JobNow one{.label = job->label,
               .also_for = {},
               .seconds = std::chrono::duration<double>(present - job->since).count(),
               .progress = job->progress,
               .cpus = job->cpus,
               .gpus = {}};
    for (std::size_t i = 1; i < job->variants.size(); ++i) {
      one.also_for.push_back(graph_.variants[job->variants[i]].label());
    }
    now.running.push_back(std::move(one));
  }
  std::sort(now.running.begin(), now.running.end(), [](const JobNow& a, const JobNow& b) { return a.label < b.label; });
  now.cpus_in_use = cpus_in_use_;
  now.cpus = options_.cpus;
  now.stopping = stopping_;
  return now;
}

void Scheduler::cancel(graph::VariantIndex variant) {
  const Node& node = nodes_[variant];
  if (node.state == State::running) {
    const auto running = running_.find(node.content->digest);
    if (running != running_.end()) executor_.cancel(running->second->nonce);
    return;
  }
  if (node.state != State::waiting && node.state != State::ready) return;
  ready_.erase(variant);
  ++summary_.cancelled;
  tell(Event::Kind::cancelled, graph_.variants[variant].label(), "before it started");
  settle(variant, State::failed, VariantState::cancelled, "cancelled before it started",
         std::string(name_of(FailureCause::cancelled)));
  dispatch();
  finish_if_idle();
}

std::vector<graph::VariantIndex> Scheduler::retry(const std::string& cause) {
  std::vector<Index> again;
  if (stopping_ || done_) return again;
  std::vector<bool> reopened(nodes_.size(), false);
  for (Index i = 0; i < nodes_.size(); ++i) {  // producers stand before what they block
    const Node& node = nodes_[i];
    if (node.state == State::failed) {
      reopened[i] = cause.empty() || node.cause == cause;
    } else if (node.state == State::blocked) {
      const std::set<Index> producers = producers_of(i);
      reopened[i] = std::any_of(producers.begin(), producers.end(), [&](Index p) { return reopened[p]; });
    }
    if (reopened[i]) again.push_back(i);
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
    node.text.clear();
    node.cause.clear();
    node.attempts = 0;
    ++unsettled_;
    tell(Event::Kind::reopened, graph_.variants[index].label());
  }
  // What waited already may wait for one of them again.
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].state != State::waiting) continue;
    nodes_[i].waiting_for = 0;
    for (const Index producer : producers_of(i)) {
      const State state = nodes_[producer].state;
      if (state == State::waiting || state == State::ready || state == State::running) ++nodes_[i].waiting_for;
    }
  }
  for (const Index index : variants) {
    if (nodes_[index].waiting_for == 0) unblocked_.push_back(index);
  }
}

// The machine failed, not a stage: what runs goes on by itself and is harvested by the next run.
void Scheduler::give_up(const Diagnostics& problems) {
  summary_.machine.insert(summary_.machine.end(), problems.begin(), problems.end());
  stopping_ = true;
  if (done_) return;
  done_ = true;
  finished_();
}

void Scheduler::finish_if_idle() {
  if (done_) return;
  if (!running_.empty() || !to_publish_.empty()) return;
  if (!stopping_ && unsettled_ > 0) {
    LB_CHECK(!ready_.empty());  // something is ready whenever something is unsettled and nothing runs
    return;
  }
  done_ = true;
  finished_();
}

void Scheduler::tell(Event::Kind kind, const std::string& label, std::string text, Json failure) {
  observer_.on_event({.kind = kind, .label = label, .text = std::move(text), .failure = std::move(failure)});
}

}  // namespace lowbit::exec
