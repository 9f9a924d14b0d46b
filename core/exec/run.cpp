#include "exec/run.h"

#include "env/process.h"
#include "exec/externals.h"
#include "exec/local/asio_loop.h"
#include "exec/local/control_socket.h"
#include "exec/local/local_executor.h"

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

std::string outcome_of(const RunSummary& summary) {
  if (!summary.machine.empty()) return "machine";
  if (summary.interrupted) return "interrupted";
  return summary.failed + summary.blocked + summary.cancelled > 0 ? "failed" : "done";
}

}  // namespace

Result<graph::Plan> plan(const store::Store& store, const graph::ExpandedGraph& graph, const RunRequest& request) {
  LB_TRY_ASSIGN(const Externals externals, digest_externals(graph, request.experiment_file.parent_path(), store));
  graph::Plan plan = graph::make_plan(graph, externals.digests, request.plugins, store, request.plan);
  LB_TRY(store.lookup_state());
  return plan;
}

Result<RunSummary> run(WritableProject& project, const graph::ExpandedGraph& graph, const RunRequest& request,
                       RunReporter& reporter) {
  LB_TRY_ASSIGN(Recovery recovery, recover(project));
  reporter.on_recovery(recovery);

  store::Store& store = project.store();
  LB_TRY_ASSIGN(Externals externals, digest_externals(graph, request.experiment_file.parent_path(), store));
  for (const store::ExternalDigest& digest : externals.remembered) LB_TRY(store.remember_external(digest));
  const graph::Plan plan = graph::make_plan(graph, externals.digests, request.plugins, store, request.plan);
  LB_TRY(store.lookup_state());
  reporter.on_plan(graph, plan);

  const std::string file = request.experiment_file.lexically_relative(project.paths().root).generic_string();
  LB_TRY(store.record_expansion(graph.experiment, file, expansion_rows(graph, plan)));
  RunSummary nothing_to_do;
  nothing_to_do.reused = plan.variants.size();
  if (plan.count(graph::Decision::reuse) == plan.variants.size()) return nothing_to_do;

  Json versions = Json::object();
  for (const graph::Variant& variant : graph.variants) versions[variant.plugin->id] = variant.plugin->version;
  LB_TRY_ASSIGN(const std::int64_t id, store.begin_run(graph.experiment, file, request.command, versions));

  AsioLoop loop;
  LocalExecutor executor(loop, request.program);
  RunFiles files{.library_of = request.library_of,
                 .plugins = request.plugins,
                 .input_root = request.experiment_file.parent_path(),
                 .externals = std::move(externals.digests)};
  SchedulerOptions options{.cpus = request.cpus == 0 ? env::processors() : request.cpus,
                           .plan = request.plan,
                           .run = id,
                           .socket_path = socket_path,
                           .only = request.only ? std::optional(request.only(plan)) : std::nullopt};
  Scheduler scheduler(graph, plan, project, executor, loop, reporter, std::move(files), std::move(options),
                      [&] { loop.stop(); });
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
  loop.post([&] { scheduler.start(std::move(recovery.adopted)); });
  if (reporter.tick().count() > 0) loop.post(tick);
  loop.run();
  if (reporter.tick().count() > 0) reporter.on_tick(scheduler.snapshot());
  const RunSummary summary = scheduler.summary();
  LB_TRY(store.end_run(id, outcome_of(summary)));
  return summary;
}

}  // namespace lowbit::exec
