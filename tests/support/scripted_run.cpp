#include "support/scripted_run.h"

#include <algorithm>
#include <stdexcept>

#include "exec/journal.h"

namespace lowbit::test {
namespace {

exec::WritableProject open_project(const std::filesystem::path& root) {
  auto project = exec::WritableProject::open({root});
  if (!project.ok()) throw std::runtime_error(render(project.error()));
  return *std::move(project);
}

void tell(const exec::AttemptPaths& attempt, const Json& record) {
  auto journal = exec::JournalWriter::open(attempt.journal());
  if (!journal.ok() || !journal->append(record)) throw std::runtime_error("no journal");
}

}  // namespace

void ManualLoop::settle() {
  while (!tasks_.empty()) {
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
}

void ManualLoop::advance(std::chrono::milliseconds time) {
  const auto until = now_ + time;
  settle();
  while (!timers_.empty() && timers_.begin()->first <= until) {
    auto due = timers_.extract(timers_.begin());
    now_ = due.key();
    due.mapped()();
    settle();
  }
  now_ = until;
}

Result<void> ScriptedWorkers::start(const exec::JobRequest& request, const exec::AttemptPaths& attempt,
                                    const std::vector<std::string>& environment, OnEnd on_end) {
  started.push_back(request.stage_label);
  jobs_.push_back({request, attempt, environment, std::move(on_end)});
  if (when_started) when_started();
  return {};
}

void ScriptedWorkers::adopt(const exec::JobRequest& request, const exec::AttemptPaths& attempt, OnEnd on_end) {
  std::erase_if(jobs_, [&](const Job& job) { return job.request.attempt == request.attempt; });
  jobs_.push_back({request, attempt, {}, std::move(on_end)});
}

void ScriptedWorkers::cancel(const std::string& attempt) {
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (jobs_[i].request.attempt != attempt) continue;
    end(i, {.kind = exec::ExitKind::exited, .code = 1, .cancelled = true});
    return;
  }
}

std::vector<std::string> ScriptedWorkers::running() const {
  std::vector<std::string> labels;
  for (const Job& job : jobs_) labels.push_back(job.request.stage_label);
  return labels;
}

const ScriptedWorkers::Job& ScriptedWorkers::job(const std::string& label) const {
  const auto it =
      std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.request.stage_label == label; });
  if (it == jobs_.end()) throw std::runtime_error("no job runs as " + label);
  return *it;
}

void ScriptedWorkers::finish(const std::string& label, const Ending& ending) {
  const Job& job = this->job(label);
  for (const MetricRow& metric : ending.metrics) {
    Json record = exec::to_json(metric);
    record["k"] = "metric";
    tell(job.attempt, record);
  }
  if (ending.status == 0) {
    std::filesystem::create_directories(job.attempt.output("out"));
    write_text(job.attempt.output("out") / "text", ending.text.empty() ? label : ending.text);
  }
  tell(job.attempt, {{"k", "done"}, {"status", ending.status}});
  end(static_cast<std::size_t>(&job - jobs_.data()), {.kind = exec::ExitKind::exited, .code = ending.status});
  loop_.settle();
}

void ScriptedWorkers::progress(const std::string& label, std::uint64_t done, std::uint64_t total) {
  tell(job(label).attempt, {{"k", "progress"}, {"done", done}, {"total", total}, {"unit", "steps"}});
}

void ScriptedWorkers::end(std::size_t index, const exec::ExitRecord& record) {
  Job job = std::move(jobs_[index]);
  jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
  write_text(job.attempt.exit(), canonical(exec::to_json(record)));
  loop_.post([this, told = std::move(job.on_end)] {
    if (when_ended) when_ended();
    told();
  });
}

std::vector<std::string> Observed::of(exec::Event::Kind kind) const {
  std::vector<std::string> texts;
  for (const exec::Event& event : events) {
    if (event.kind == kind) texts.push_back(event.label + ": " + event.text);
  }
  return texts;
}

Bench::Bench() : project(open_project(directory.path())) {
  plugin_ = {.id = "lowbit.toy.scripted", .version = "1.0.0", .kind = StageKind::dataset, .summary = "scripted"};
  plugin_.inputs = {{.name = "in", .types = {"file"}, .doc = "", .optional = true, .many = true}};
  plugin_.outputs = {{.name = "out", .types = {"file"}, .doc = ""}};
  graph.experiment = "scripted";
}

void Bench::add(const std::string& stage, const StageSketch& sketch) {
  graph::Variant variant;
  variant.stage = stage;
  variant.plugin = &plugin_;
  variant.params = {{"stage", stage}};
  variant.resources = sketch.resources;
  variant.retry = sketch.retry;
  variant.gates = sketch.gates;
  if (!sketch.inputs.empty()) {
    graph::BoundInput input{.port = "in", .gathered = true, .min_members = sketch.min_members, .members = {}};
    for (const std::string& producer : sketch.inputs) {
      Coordinates at;
      at.set("stage", producer);
      graph::Produced produced{index_.at(producer), "out"};
      for (const std::string& keeper : sketch.keepers) produced.keepers.push_back(index_.at(keeper));
      input.members.push_back({.at = at, .source = std::move(produced)});
    }
    variant.inputs.push_back(std::move(input));
  }
  index_[stage] = graph.variants.size();
  graph.variants.push_back(std::move(variant));
}

graph::Plan Bench::plan() {
  return graph::make_plan(graph, {}, {{plugin_.id, Digest()}}, project.store(), graph::PlanOptions());
}

void Bench::start(exec::SchedulerOptions options, std::vector<exec::Adopted> adopted) {
  finished = false;
  planned = plan();
  std::vector<store::ExpansionRow> rows;
  for (std::size_t i = 0; i < graph.variants.size(); ++i) {
    rows.push_back({.stage = graph.variants[i].stage,
                    .coordinates = {},
                    .plugin_id = plugin_.id,
                    .provenance_key = planned->variants[i].provenance.digest,
                    .provenance_record = planned->variants[i].provenance.record});
  }
  if (!project.store().record_expansion({.experiment = "scripted", .file = "e.yaml"}, rows).ok())
    throw std::runtime_error("no expansion");
  const auto run =
      project.store().begin_run({.experiment = "scripted", .file = "e.yaml", .command = "lowbit run e.yaml"});
  if (!run.ok()) throw std::runtime_error(render(run.error()));
  options.run = *run;
  options.socket_path = [](const std::string&) { return Result<std::filesystem::path>(std::filesystem::path("s")); };
  exec::RunFiles files{.library_of = [](const std::string&) { return std::filesystem::path("x.so"); },
                       .plugins = {{plugin_.id, Digest()}},
                       .input_root = {},
                       .externals = {}};
  scheduler = std::make_unique<exec::Scheduler>(graph, *planned, project, workers, loop, observed, std::move(files),
                                                std::move(options), [this] { finished = true; });
  scheduler->start(std::move(adopted));
  loop.settle();
}

}  // namespace lowbit::test
