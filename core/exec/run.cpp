#include "exec/run.h"

#include <utility>

#include "env/process.h"
#include "exec/expansion_file.h"
#include "exec/externals.h"
#include "exec/local/asio_loop.h"
#include "exec/local/control_socket.h"
#include "exec/local/job_socket.h"
#include "exec/local/local_executor.h"
#include "store/project_facts.h"

namespace lowbit::exec {
namespace {

std::vector<store::ExpansionRow> expansion_rows(const graph::ExpandedGraph& graph, const graph::Plan& plan) {
  std::vector<store::ExpansionRow> rows;
  rows.reserve(graph.variants.size());
  for (std::size_t i = 0; i < graph.variants.size(); ++i) {
    const graph::Variant& variant = graph.variants[i];
    rows.push_back({.stage = variant.stage,
                    .coordinates = variant.coordinates,
                    .plugin_id = variant.plugin->id,
                    .provenance_key = plan.variants[i].provenance.digest,
                    .provenance_record = plan.variants[i].provenance.record});
  }
  return rows;
}

/// A host that was killed between a result and the cut-off of its consumers left results that the plan finds by their
/// content and that the experiment's own keys do not lead to.
Result<void> link_reused(store::Store& store, const graph::Plan& plan) {
  std::vector<std::pair<Digest, Digest>> links;
  for (const graph::PlannedVariant& variant : plan.variants) {
    if (variant.decision != graph::Decision::reuse) continue;
    links.emplace_back(variant.provenance.digest, variant.content->digest);
  }
  return store.link(links);
}

std::string outcome_of(const RunSummary& summary) {
  if (!summary.machine.empty()) return "machine";
  if (summary.interrupted) return "interrupted";
  if (summary.failed + summary.blocked + summary.cancelled > 0) return "failed";
  return summary.gated + summary.behind_gate > 0 ? "gated" : "done";
}

/// Of results that a gate may judge otherwise than when they were made.
std::vector<store::GateVerdict> gate_verdicts(const graph::ExpandedGraph& graph, const graph::Plan& plan) {
  std::vector<store::GateVerdict> verdicts;
  for (const graph::PlannedVariant& planned : plan.variants) {
    if (planned.decision != graph::Decision::reuse) continue;
    if (planned.gate.empty() && graph.variants[planned.variant].gates.empty()) continue;
    verdicts.push_back({planned.result->content_key, planned.gate});
  }
  return verdicts;
}

std::string shown_file(const WritableProject& project, const RunRequest& request) {
  return request.experiment_file.lexically_relative(project.paths().root).generic_string();
}

/// What the experiment consists of, by which keys, and what its gates say.
Result<void> record_plan(WritableProject& project, const graph::ExpandedGraph& graph, const RunRequest& request,
                         const graph::Plan& plan) {
  store::Store& store = project.store();
  const Expansion expansion{.from = {.experiment = graph.experiment,
                                     .file = shown_file(project, request),
                                     .options = request.options,
                                     .text = request.experiment_text},
                            .rows = expansion_rows(graph, plan)};
  LB_TRY(write_expansion(project.paths(), expansion));
  LB_TRY(store.record_expansion(expansion.from, expansion.rows));
  LB_TRY(link_reused(store, plan));
  return store.record_gates(gate_verdicts(graph, plan));
}

/// Decides an order, nothing else: without it the order is by depth.
DurationHistory read_history(const std::filesystem::path& database, const std::string& experiment) {
  auto facts = store::ProjectFacts::open(database);
  auto history = facts.ok() ? facts->mean_seconds(experiment) : Result<DurationHistory>(facts.error());
  return history.ok() ? *std::move(history) : DurationHistory();
}

}  // namespace

Result<graph::Plan> plan(const store::Store& store, const graph::ExpandedGraph& graph, const RunRequest& request) {
  LB_TRY_ASSIGN(const Externals externals, digest_externals(graph, request.experiment_file.parent_path(), store));
  graph::Plan plan = graph::make_plan(graph, externals.digests, request.plugins, store, request.plan);
  LB_TRY(store.lookup_state());
  for (const Diagnostic& problem : impossible_demands(graph, plan, capacity_of_machine(request.machine))) {
    plan.notices.push_back(problem.what + ": " + problem.notes.front());
  }
  return plan;
}

Result<ReadyRun> ready_run(WritableProject& project, const graph::ExpandedGraph& graph, const RunRequest& request,
                           RunReporter& reporter) {
  ReadyRun ready;
  LB_TRY_ASSIGN(Recovery recovery, recover(project));
  reporter.on_recovery(recovery);
  ready.adopted = std::move(recovery.adopted);

  store::Store& store = project.store();
  LB_TRY_ASSIGN(Externals externals, digest_externals(graph, request.experiment_file.parent_path(), store));
  for (const store::ExternalDigest& digest : externals.remembered) LB_TRY(store.remember_external(digest));
  ready.plan = graph::make_plan(graph, externals.digests, request.plugins, store, request.plan);
  const graph::Plan& plan = ready.plan;
  LB_TRY(store.lookup_state());
  Capacity capacity = capacity_of_machine(request.machine);
  if (Diagnostics problems = impossible_demands(graph, plan, capacity); !problems.empty()) return problems;
  reporter.on_plan(graph, plan);
  ready.settled.reused = plan.count(graph::Decision::reuse);
  ready.settled.behind_gate = plan.count(graph::Decision::gated);
  for (const graph::PlannedVariant& planned : plan.variants) {
    if (planned.decision == graph::Decision::reuse && !planned.gate.empty()) ++ready.settled.gated;
  }
  ready.nothing_to_do = ready.settled.reused + ready.settled.behind_gate == plan.variants.size();
  // Before the expansion that it goes by is replaced.
  DurationHistory history;
  if (!ready.nothing_to_do) history = read_history(project.paths().database(), graph.experiment);

  LB_TRY(record_plan(project, graph, request, plan));
  if (ready.nothing_to_do) return ready;

  store::NewRun run{.experiment = graph.experiment,
                    .file = shown_file(project, request),
                    .command = request.command,
                    .host = env::host_name()};
  if (!request.version.empty()) run.versions["lowbit"] = request.version;
  for (const graph::Variant& variant : graph.variants) run.versions[variant.plugin->id] = variant.plugin->version;
  for (const auto& [plugin, build] : request.builds) run.builds[plugin] = build;
  LB_TRY_ASSIGN(const std::int64_t id, store.begin_run(run));
  ready.files = {.library_of = request.library_of,
                 .plugins = request.plugins,
                 .input_root = request.experiment_file.parent_path(),
                 .externals = std::move(externals.digests)};
  ready.options = {.capacity = std::move(capacity),
                   .history = std::move(history),
                   .fail_fast = request.fail_fast,
                   .plan = request.plan,
                   .run = id,
                   .socket_path = socket_path,
                   .only = request.only ? std::optional(request.only(plan)) : std::nullopt};
  return ready;
}

Result<void> end_run(WritableProject& project, const graph::ExpandedGraph& graph, const RunRequest& request,
                     const graph::ExternalDigests& externals, std::int64_t run, const RunSummary& summary) {
  if (summary.machine.empty() && summary.gated + summary.behind_gate > 0) {
    graph::PlanOptions options = request.plan;
    options.force.clear();  // it was done
    const graph::Plan plan = graph::make_plan(graph, externals, request.plugins, project.store(), options);
    LB_TRY(project.store().lookup_state());
    LB_TRY(record_plan(project, graph, request, plan));
  }
  return project.store().end_run(run, outcome_of(summary));
}

Result<RunSummary> run(WritableProject& project, const graph::ExpandedGraph& graph, const RunRequest& request,
                       RunReporter& reporter) {
  LB_TRY_ASSIGN(ReadyRun ready, ready_run(project, graph, request, reporter));
  if (ready.nothing_to_do) return ready.settled;
  const std::int64_t id = ready.options.run;
  const graph::ExternalDigests externals = ready.files.externals;
  AsioLoop loop;
  LocalExecutor executor(loop, request.program);
  Scheduler scheduler(graph, ready.plan, project, executor, loop, reporter, std::move(ready.files),
                      std::move(ready.options), [&] { loop.stop(); });
  bool stopping = false;
  loop.on_interrupt([&] {
    if (stopping) {
      loop.stop();
      return;
    }
    stopping = true;
    scheduler.interrupt();
  });
  const auto control = ControlSocket::listen(loop, project.paths(), scheduler);
  if (!control.ok()) {
    reporter.on_event(
        {.kind = Event::Kind::notice,
         .label = "control",
         .text = "`lowbit cancel` and `lowbit retry` cannot reach this run: " + control.error().front().what,
         .failure = {}});
  }
  std::function<void()> tick = [&] {
    reporter.on_tick(scheduler.snapshot());
    loop.after(reporter.tick(), tick);
  };
  loop.post([&] { scheduler.start(ready.adopted); });
  if (reporter.tick().count() > 0) loop.post(tick);
  loop.run();
  if (reporter.tick().count() > 0) reporter.on_tick(scheduler.snapshot());
  RunSummary summary = scheduler.summary();
  if (const auto ended = end_run(project, graph, request, externals, id, summary); !ended.ok()) {
    summary.machine.insert(summary.machine.end(), ended.error().begin(), ended.error().end());
  }
  return summary;
}

}  // namespace lowbit::exec
