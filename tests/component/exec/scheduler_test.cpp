// The scheduler with a clock that the test moves and workers that do what they are told: what starts when, with what,
// what is tried again, what stops what.
#include "exec/scheduler.h"

#include <lowbit/plugin_abi.h>

#include <catch2/catch.hpp>
#include <limits>

#include "env/file_lock.h"
#include "env/process.h"
#include "exec/recover.h"
#include "graph/plan_text.h"
#include "support/scripted_run.h"

using namespace lowbit;
using namespace lowbit::test;
using namespace std::chrono_literals;
using exec::Event;
using Labels = std::vector<std::string>;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

exec::SchedulerOptions on(exec::Capacity capacity) {
  exec::SchedulerOptions options;
  options.capacity = std::move(capacity);
  return options;
}

exec::SchedulerOptions on_cpus(std::uint32_t cpus) { return on({.cpus = cpus, .gpus = {}, .rates = {}}); }

StageSketch tried_again(const RetryPolicy& retry) {
  StageSketch sketch;
  sketch.retry = retry;
  return sketch;
}

StageSketch gated(const Gate& gate) {
  StageSketch sketch;
  sketch.gates = {gate};
  return sketch;
}

std::string variable(const ScriptedWorkers::Job& job, const std::string& name) {
  for (const std::string& entry : job.environment) {
    if (entry.compare(0, name.size() + 1, name + "=") == 0) return entry.substr(name.size() + 1);
  }
  return "(not set)";
}

}  // namespace

TEST_CASE("what has the longest way behind it starts first", "[exec][scheduler]") {
  Bench bench;
  bench.add("leaf");
  bench.add("head");
  bench.add("middle", {.inputs = {"head"}});
  bench.add("tail", {.inputs = {"middle"}});
  bench.start(on_cpus(1));
  for (const char* next : {"head", "leaf", "middle", "tail"}) {
    bench.workers.finish(next);
    bench.loop.advance(10ms);  // results are published
  }
  CHECK(bench.workers.started == Labels{"head", "leaf", "middle", "tail"});
  CHECK(bench.finished);
  CHECK(bench.scheduler->summary().done == 4);
}

TEST_CASE("what took long before starts first", "[exec][scheduler]") {
  Bench bench;
  for (const char* stage : {"a", "b", "c"}) bench.add(stage);
  exec::SchedulerOptions options = on_cpus(1);
  options.history.by_stage = {{"a", 1}, {"b", 60}, {"c", 5}};
  bench.start(options);
  for (const char* next : {"b", "c", "a"}) bench.workers.finish(next);
  CHECK(bench.workers.started == Labels{"b", "c", "a"});
}

TEST_CASE("jobs run beside each other as far as threads, memory and rates reach", "[exec][scheduler][lease]") {
  Bench bench;
  bench.add("wide", {.resources = {.cpus = 3}});
  bench.add("large", {.resources = {.memory_bytes = 6 * kGiB}});
  bench.add("larger", {.resources = {.memory_bytes = 7 * kGiB}});
  bench.add("asks", {.resources = {.rates = {{"judge", 40}}}});
  bench.add("asks-too", {.resources = {.rates = {{"judge", 40}}}});
  bench.start(on({.cpus = 6, .memory_bytes = 12 * kGiB, .gpus = {}, .rates = {{"judge", 60}}}));
  CHECK(bench.workers.running() == Labels{"wide", "large", "asks"});
  bench.workers.finish("large");
  CHECK(bench.workers.running() == Labels{"wide", "asks", "larger"});
  bench.workers.finish("asks", {.status = LB_NUMERIC});
  CHECK(bench.workers.running() == Labels{"wide", "larger", "asks-too"});
}

TEST_CASE("a job sees the GPUs that it leases, by id, and its attempt says which", "[exec][scheduler][lease]") {
  Bench bench;
  bench.add("two", {.resources = {.milli_gpus = 2000}});
  bench.add("half", {.resources = {.milli_gpus = 500}});
  bench.add("other-half", {.resources = {.milli_gpus = 500}});
  bench.add("none");
  bench.start(on({.cpus = 8, .gpus = {{"4", 8 * kGiB}, {"5", 8 * kGiB}, {"6", 8 * kGiB}}, .rates = {}}));
  CHECK(variable(bench.workers.job("two"), "CUDA_VISIBLE_DEVICES") == "4,5");
  CHECK(variable(bench.workers.job("half"), "CUDA_VISIBLE_DEVICES") == "6");
  CHECK(variable(bench.workers.job("other-half"), "CUDA_VISIBLE_DEVICES") == "6");
  CHECK(variable(bench.workers.job("none"), "CUDA_VISIBLE_DEVICES").empty());
  CHECK(bench.workers.job("two").request.device == "cuda:0");
  CHECK(bench.workers.job("none").request.device == "cpu");

  const Json expected = exec::to_json(
      exec::Grant{.cpus = 1, .memory_bytes = 0, .gpus = {{"6", 500, 4 * kGiB / 1000 * 1000}}, .rates = {}});
  const Json written = Json::parse(read_text(bench.workers.job("half").attempt.request()));
  CHECK(written["lease"]["gpus"][0]["id"] == expected["gpus"][0]["id"]);
  CHECK(written["lease"]["gpus"][0]["thousandths"] == 500);
  const auto rows = bench.project.store().running_attempts();
  REQUIRE(rows.ok());
  for (const store::Attempt& row : *rows) {
    if (row.stage_label == "half") CHECK(row.environment["lease"] == written["lease"]);
  }
}

TEST_CASE("a failure that may pass is tried again later and later, any other is not", "[exec][scheduler][retry]") {
  Bench bench;
  const RetryPolicy retry{.attempts = 3, .on = {RetryCause::transient}};
  bench.add("away", tried_again(retry));
  bench.add("full", tried_again(retry));
  bench.start(on_cpus(2));
  bench.workers.finish("full", {.status = LB_RESOURCE});
  bench.workers.finish("away", {.status = LB_TRANSIENT});
  CHECK(bench.workers.running().empty());
  bench.loop.advance(999ms);
  CHECK(bench.workers.running().empty());
  bench.loop.advance(1ms);
  CHECK(bench.workers.running() == Labels{"away"});
  bench.workers.finish("away", {.status = LB_TRANSIENT});
  bench.loop.advance(1999ms);
  CHECK(bench.workers.running().empty());
  bench.loop.advance(1ms);
  bench.workers.finish("away", {.status = LB_TRANSIENT});
  bench.loop.advance(1h);
  CHECK(bench.workers.started == Labels{"away", "full", "away", "away"});
  CHECK(bench.scheduler->summary().failed == 2);
  CHECK(bench.finished);
}

TEST_CASE("after a failure what does not need it goes on", "[exec][scheduler]") {
  Bench bench;
  for (const char* stage : {"a", "b", "c"}) bench.add(stage);
  bench.add("after", {.inputs = {"a"}});
  bench.start(on_cpus(1));
  bench.workers.finish("a", {.status = LB_NUMERIC});
  bench.workers.finish("b");
  bench.workers.finish("c");
  bench.loop.advance(1s);
  CHECK(bench.finished);
  CHECK(bench.scheduler->summary().done == 2);
  CHECK(bench.scheduler->summary().failed == 1);
  CHECK(bench.scheduler->summary().blocked == 1);
}

TEST_CASE("with fail-fast nothing starts after a failure, and what runs is finished", "[exec][scheduler]") {
  Bench bench;
  for (const char* stage : {"a", "b", "c"}) bench.add(stage);
  bench.add("after", {.inputs = {"b"}});
  exec::SchedulerOptions options = on_cpus(2);
  options.fail_fast = true;
  bench.start(options);
  REQUIRE(bench.workers.running() == Labels{"b", "a"});
  bench.workers.finish("a", {.status = LB_NUMERIC});
  CHECK_FALSE(bench.finished);
  bench.workers.finish("b");
  bench.loop.advance(1s);
  CHECK(bench.finished);
  CHECK(bench.workers.started == Labels{"b", "a"});
  CHECK(bench.scheduler->summary().done == 1);
  CHECK(bench.scheduler->summary().not_started == 2);
}

TEST_CASE("a job that stops moving is told of, once, with where it stood", "[exec][scheduler][stall]") {
  Bench bench;
  bench.add("slow", {.resources = {.stall = 60s}});
  bench.start(on_cpus(1));
  bench.workers.progress("slow", 3, 9);
  bench.loop.advance(50s);
  bench.workers.progress("slow", 4, 9);
  bench.loop.advance(50s);
  CHECK(bench.observed.of(Event::Kind::stalled).empty());
  bench.loop.advance(10min);
  CHECK(bench.observed.of(Event::Kind::stalled) == Labels{"slow: no progress for 60.0 s; last at 4 of 9 steps"});
  CHECK(bench.workers.running() == Labels{"slow"});
}

TEST_CASE("a job that stops moving fails where the author says so", "[exec][scheduler][stall]") {
  Bench bench;
  StageSketch hung = tried_again({.attempts = 5, .on = {RetryCause::resource}});
  hung.resources.stall = 60s;
  hung.resources.fail_on_stall = true;
  bench.add("hung", hung);
  bench.start(on_cpus(1));
  bench.workers.progress("hung", 3, 9);
  bench.loop.advance(5min);
  CHECK(bench.finished);
  CHECK(bench.observed.of(Event::Kind::failed) == Labels{"hung: the job stopped making progress"});
  CHECK(bench.scheduler->summary().failed == 1);
  CHECK(bench.scheduler->summary().cancelled == 0);
}

TEST_CASE("a gate keeps the result and stops its branch alone, in this run and in the next plan",
          "[exec][scheduler][gate]") {
  Bench bench;
  const MetricRow error{.name = "x/error", .unit = "ratio", .value = 3, .std_error = {}};
  bench.add("broken", gated({.metric = "x/error", .min = {}, .max = 1}));
  bench.add("below", {.inputs = {"broken"}});
  bench.add("further", {.inputs = {"below"}});
  bench.add("good");
  bench.add("most", {.inputs = {"broken", "good"}, .min_members = 1});
  bench.start(on_cpus(4));
  bench.workers.finish("broken", {.metrics = {error}});
  bench.workers.finish("good");
  bench.loop.advance(10ms);
  bench.workers.finish("most");
  bench.loop.advance(10ms);
  CHECK(bench.finished);
  CHECK(bench.observed.of(Event::Kind::gated) == Labels{"broken: x/error is 3.0, above 1.0"});
  CHECK(bench.observed.of(Event::Kind::blocked) ==
        Labels{"below: behind the gate of broken: x/error is 3.0, above 1.0",
               "further: behind the gate of broken: x/error is 3.0, above 1.0"});
  CHECK(bench.scheduler->summary().done == 3);
  CHECK(bench.scheduler->summary().gated == 1);
  CHECK(bench.scheduler->summary().behind_gate == 2);
  CHECK(bench.scheduler->summary().blocked == 0);

  const auto decisions = [&] {
    std::string text;
    for (const graph::PlannedVariant& planned : bench.plan().variants)
      text += std::string(name_of(planned.decision)) + " ";
    return text;
  };
  CHECK(decisions() == "reuse gated gated reuse reuse ");
  CHECK(bench.plan().variants[0].gate == "x/error is 3.0, above 1.0");

  bench.start(on_cpus(4));
  CHECK(bench.finished);
  CHECK(bench.workers.running().empty());

  bench.graph.variants[0].gates[0].max = 5;
  CHECK(decisions() == "reuse run run reuse run ");
  bench.start(on_cpus(4));
  CHECK(bench.workers.running() == Labels{"below", "most"});
}

TEST_CASE("a gate that holds another stage stops what else is made from it, before it starts",
          "[exec][scheduler][gate]") {
  Bench bench;
  const auto perplexity = [](double value) {
    return Ending{.metrics = {{.name = "x/ppl", .unit = "ratio", .value = value, .std_error = {}}}};
  };
  bench.add("quantize");
  StageSketch measured = gated({.metric = "x/ppl", .min = {}, .max = 1000});
  measured.inputs = {"quantize"};
  bench.add("perplexity", measured);
  StageSketch kept;
  kept.inputs = {"quantize"};
  kept.keepers = {"perplexity"};
  bench.add("dpo", kept);
  kept.inputs = {"dpo"};
  kept.keepers.clear();
  bench.add("evaluate", kept);
  const auto decisions = [&] {
    std::string text;
    for (const graph::PlannedVariant& planned : bench.plan().variants)
      text += std::string(name_of(planned.decision)) + " ";
    return text;
  };
  CHECK(decisions() == "run run run run ");
  CHECK_THAT(graph::plan_text(bench.graph, bench.plan()),
             Catch::Contains("run    dpo         never ran; after the gate of perplexity\n"));
  bench.start(on_cpus(4));
  bench.workers.finish("quantize");
  bench.loop.advance(10ms);
  CHECK(bench.workers.running() == Labels{"perplexity"});  // dpo has all its inputs, and waits

  SECTION("it does not hold") {
    bench.workers.finish("perplexity", perplexity(2e6));
    bench.loop.advance(10ms);
    CHECK(bench.finished);
    CHECK(bench.observed.of(Event::Kind::blocked) ==
          Labels{"dpo: behind the gate of perplexity: x/ppl is 2000000.0, above 1000.0",
                 "evaluate: behind the gate of perplexity: x/ppl is 2000000.0, above 1000.0"});
    CHECK(bench.scheduler->summary().gated == 1);
    CHECK(bench.scheduler->summary().behind_gate == 2);
    CHECK(decisions() == "reuse reuse gated gated ");
    bench.start(on_cpus(4));
    CHECK(bench.finished);
    CHECK(bench.workers.running().empty());
    bench.graph.variants[1].gates[0].max = 1e7;  // a person looks and finds it good enough
    CHECK(decisions() == "reuse reuse run run ");
    bench.start(on_cpus(4));
    CHECK(bench.workers.running() == Labels{"dpo"});
  }
  SECTION("it holds") {
    bench.workers.finish("perplexity", perplexity(7));
    bench.loop.advance(10ms);
    CHECK(bench.workers.running() == Labels{"dpo"});
    bench.workers.finish("dpo");
    bench.loop.advance(10ms);
    bench.workers.finish("evaluate");
    bench.loop.advance(10ms);
    CHECK(bench.finished);
    CHECK(decisions() == "reuse reuse reuse reuse ");
    bench.graph.variants[1].params["stage"] = "perplexity again";  // judged anew: what is there waits for the verdict
    CHECK(decisions() == "reuse run maybe maybe ");
    bench.start(on_cpus(4));
    CHECK(bench.workers.running() == Labels{"perplexity"});
    bench.workers.finish("perplexity", perplexity(8));
    bench.loop.advance(10ms);
    CHECK(bench.finished);
    CHECK(bench.scheduler->summary().cut_off == 2);
    CHECK(bench.workers.started == Labels{"quantize", "perplexity", "dpo", "evaluate", "perplexity"});
  }
  SECTION("it is never judged") {
    bench.workers.finish("perplexity", {.status = LB_NUMERIC});
    bench.loop.advance(10ms);
    CHECK(bench.finished);
    CHECK(bench.observed.of(Event::Kind::blocked).front() ==
          "dpo: input in waits for the gate of perplexity, which has no result");
    CHECK(bench.scheduler->summary().blocked == 2);
  }
}

TEST_CASE("what was made before a gate held its input back is no result of the experiment while it does",
          "[exec][scheduler][gate]") {
  Bench bench;
  bench.add("broken");
  bench.add("below", {.inputs = {"broken"}});
  bench.start(on_cpus(1));
  bench.workers.finish("broken", {.metrics = {{.name = "x/error", .unit = "ratio", .value = 3, .std_error = {}}}});
  bench.loop.advance(10ms);
  bench.workers.finish("below");
  bench.loop.advance(10ms);
  REQUIRE(bench.finished);
  const auto results = [&] { return bench.project.store().links_of("scripted").value().size(); };
  REQUIRE(results() == 2);

  bench.graph.variants[0].gates = {{.metric = "x/error", .min = {}, .max = 1}};
  bench.start(on_cpus(1));
  REQUIRE(bench.finished);
  CHECK(results() == 1);
  CHECK(bench.plan().variants[1].decision == graph::Decision::gated);

  bench.graph.variants[0].gates.clear();
  bench.start(on_cpus(1));
  REQUIRE(bench.finished);
  CHECK(results() == 2);  // what it had lies there still
  CHECK(bench.plan().count(graph::Decision::reuse) == 2);
}

TEST_CASE("a metric that is not a number is a result that nothing is made from", "[exec][scheduler][gate]") {
  Bench bench;
  bench.add("broken");
  bench.add("below", {.inputs = {"broken"}});
  bench.start(on_cpus(1));
  bench.workers.finish(
      "broken",
      {.metrics = {
           {.name = "x/loss", .unit = "nats", .value = std::numeric_limits<double>::quiet_NaN(), .std_error = {}}}});
  bench.loop.advance(10ms);
  CHECK(bench.finished);
  CHECK(bench.scheduler->summary().done == 1);
  CHECK(bench.observed.of(Event::Kind::gated) == Labels{"broken: x/loss is not a finite number"});
  CHECK(bench.plan().variants[1].decision == graph::Decision::gated);
}

TEST_CASE("what a job has when its host dies is counted by the next host until the job's lock is free",
          "[exec][scheduler][lease]") {
  Bench bench;
  bench.add("long", {.resources = {.milli_gpus = 1000}});
  bench.add("next", {.resources = {.milli_gpus = 1000}});
  const exec::Capacity one_gpu{.cpus = 2, .gpus = {{"0", 0}}, .rates = {}};
  bench.start(on(one_gpu));
  REQUIRE(bench.workers.running() == Labels{"long"});
  const auto lock = env::FileLock::try_take(bench.workers.job("long").attempt.lock());
  REQUIRE((lock.ok() && lock->has_value()));
  bench.kill_host();

  auto recovery = exec::recover(bench.project);
  REQUIRE(recovery.ok());
  REQUIRE(recovery->adopted.size() == 1);
  bench.start(on(one_gpu), std::move(recovery->adopted));
  CHECK(bench.workers.running() == Labels{"long"});
  CHECK(bench.observed.of(Event::Kind::adopted).size() == 1);
  bench.workers.finish("long");
  bench.loop.advance(10ms);
  CHECK(bench.workers.running() == Labels{"next"});
  CHECK(bench.workers.started == Labels{"long", "next"});
  CHECK(bench.scheduler->summary().done == 1);
}

TEST_CASE("what ends at about the same time is published together", "[exec][scheduler]") {
  Bench bench;
  Labels stages;
  for (int i = 0; i < 9; ++i) stages.push_back("stage-" + std::to_string(i));
  for (const std::string& stage : stages) bench.add(stage);
  bench.start(on_cpus(9));
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) bench.workers.finish(stages[i]);
  CHECK(bench.scheduler->summary().done == 0);
  bench.loop.advance(5ms);
  CHECK(bench.scheduler->summary().done == 8);
  CHECK_FALSE(bench.finished);
  bench.workers.finish(stages.back());
  bench.loop.advance(5ms);
  CHECK(bench.finished);
  for (const graph::PlannedVariant& variant : bench.plan().variants) {
    CHECK(variant.decision == graph::Decision::reuse);
  }
}

TEST_CASE("what ended unsynced under the eyes of a host counts as long as the machine stays up", "[exec][recover]") {
  Bench bench;
  bench.add("a");
  bench.start(on_cpus(1));
  const exec::AttemptPaths attempt = bench.workers.job("a").attempt;
  bench.workers.finish("a");  // not published yet
  exec::ExitRecord record{.kind = exec::ExitKind::exited, .unsynced_boot = env::boot_id()};
  SECTION("the same boot") {
    write_text(attempt.exit(), canonical(exec::to_json(record)));
    bench.kill_host();
    const auto recovery = exec::recover(bench.project);
    REQUIRE(recovery.ok());
    CHECK(recovery->harvested == Labels{"a"});
  }
  SECTION("another") {
    record.unsynced_boot = "an earlier one";
    write_text(attempt.exit(), canonical(exec::to_json(record)));
    bench.kill_host();
    const auto recovery = exec::recover(bench.project);
    REQUIRE(recovery.ok());
    CHECK(recovery->lost == Labels{"a"});
    CHECK(recovery->harvested.empty());
  }
}

TEST_CASE("the job of another experiment is counted, and not waited for", "[exec][scheduler][lease]") {
  Bench bench;
  bench.add("foreign");
  bench.start(on_cpus(1));
  const auto lock = env::FileLock::try_take(bench.workers.job("foreign").attempt.lock());
  REQUIRE((lock.ok() && lock->has_value()));
  bench.kill_host();
  bench.graph.variants[0].stage = "mine";
  bench.graph.variants[0].params = {{"stage", "mine"}};
  auto recovery = exec::recover(bench.project);
  REQUIRE(recovery.ok());

  SECTION("there is room for both") {
    bench.start(on_cpus(2), std::move(recovery->adopted));
    CHECK(bench.workers.running() == Labels{"foreign", "mine"});
    bench.workers.finish("mine");
    bench.loop.advance(10ms);
    CHECK(bench.finished);
  }
  SECTION("there is not") {
    bench.start(on_cpus(1), std::move(recovery->adopted));
    CHECK(bench.workers.running() == Labels{"foreign"});
    bench.workers.finish("foreign");
    CHECK(bench.workers.running() == Labels{"mine"});
    bench.loop.advance(10ms);
    CHECK(bench.scheduler->summary().done == 0);
    CHECK_FALSE(bench.finished);
  }
}

TEST_CASE("an interrupted run asks its jobs to stop and starts nothing more", "[exec][scheduler]") {
  Bench bench;
  for (const char* stage : {"a", "b"}) bench.add(stage);
  bench.start(on_cpus(1));
  bench.scheduler->interrupt();
  bench.loop.settle();
  CHECK(bench.finished);
  CHECK(bench.workers.started == Labels{"a"});
  CHECK(bench.scheduler->summary().cancelled == 1);
}

TEST_CASE("to cancel one of two that need the same leaves the job to the other", "[exec][scheduler]") {
  Bench bench;
  bench.add("a");
  bench.add("b");
  bench.graph.variants[1].params = bench.graph.variants[0].params;
  const bool started = GENERATE(true, false);
  INFO((started ? "its job runs" : "its job waits"));
  if (!started) bench.add("first");
  exec::SchedulerOptions options = on_cpus(1);
  options.history.by_stage = {{"a", 1}, {"b", 1}, {"first", 60}};
  bench.start(options);
  if (!started) REQUIRE(bench.workers.running() == Labels{"first"});
  CHECK(bench.scheduler->cancel(0));
  if (!started) bench.workers.finish("first");
  CHECK(bench.workers.running() == Labels{started ? "a" : "b"});
  bench.workers.finish(started ? "a" : "b");
  bench.loop.advance(10ms);
  CHECK(bench.finished);
  CHECK(bench.scheduler->summary().cancelled == 1);
  CHECK(bench.scheduler->summary().done == (started ? 1 : 2));
  CHECK_FALSE(bench.scheduler->cancel(0));
}

TEST_CASE("a job that ends well although it was asked to stop has a result", "[exec][scheduler]") {
  Bench bench;
  bench.add("a");
  bench.start(on_cpus(1));
  const exec::AttemptPaths attempt = bench.workers.job("a").attempt;
  bench.workers.when_ended = [&] {
    exec::ExitRecord record{.kind = exec::ExitKind::exited, .cancelled = true};
    write_text(attempt.exit(), canonical(exec::to_json(record)));
  };
  bench.workers.finish("a");
  bench.loop.advance(10ms);
  CHECK(bench.scheduler->summary().done == 1);
}

TEST_CASE("checkpoints stay until the result is in its place", "[exec][recover]") {
  Bench bench;
  bench.add("a");
  bench.start(on_cpus(1));
  const exec::AttemptPaths attempt = bench.workers.job("a").attempt;
  const std::string nonce = bench.workers.job("a").request.attempt;
  std::filesystem::create_directories(attempt.checkpoints() / "7");
  write_text(attempt.checkpoints() / "7" / "state", "half of it");
  bench.workers.finish("a");  // checked, not moved yet
  const auto left = [&] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(bench.project.paths().state())) {
      if (entry.path().filename() == "state") names.push_back(entry.path());
    }
    return names;
  };
  REQUIRE(std::filesystem::exists(attempt.manifest()));
  CHECK(left().size() == 1);
  SECTION("by this host") { bench.loop.advance(10ms); }
  SECTION("by the next one, which finds it moved") {
    const auto key = Digest::from_hex(attempt.directory.parent_path().filename().string());
    const auto target = exec::result_directory(bench.project.paths(), key.value_or(Digest()), nonce);
    std::filesystem::rename(attempt.directory, target);
    bench.kill_host();
    const auto recovery = exec::recover(bench.project);
    REQUIRE(recovery.ok());
    CHECK(recovery->harvested == Labels{"a"});
  }
  CHECK(left().empty());
}

TEST_CASE("an attempt whose record cannot be read is lost when nothing runs, and never in the way", "[exec][recover]") {
  Bench bench;
  bench.add("a");
  bench.start(on_cpus(1));
  const exec::AttemptPaths attempt = bench.workers.job("a").attempt;
  const auto lock = env::FileLock::try_take(attempt.lock());
  REQUIRE((lock.ok() && lock->has_value()));
  bench.kill_host();
  write_text(attempt.request(), R"({"format": 1})");
  SECTION("its job runs") {
    const auto refused = exec::recover(bench.project);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().front().code == "LB4107");
  }
  SECTION("it does not") {
    std::filesystem::remove(attempt.lock());
    const auto recovery = exec::recover(bench.project);
    REQUIRE(recovery.ok());
    CHECK(recovery->lost == Labels{"a"});
  }
}

TEST_CASE("an attempt of a newer lowbit is left as it is, whether it runs or not", "[exec][recover]") {
  Bench bench;
  bench.add("a");
  bench.start(on_cpus(1));
  const exec::AttemptPaths attempt = bench.workers.job("a").attempt;
  const auto file = GENERATE(&exec::AttemptPaths::request, &exec::AttemptPaths::host);
  const bool runs = GENERATE(true, false);
  const auto lock = env::FileLock::try_take(attempt.lock());
  REQUIRE((lock.ok() && lock->has_value()));
  bench.kill_host();
  write_text((attempt.*file)(), R"({"format": 2})");
  if (!runs) std::filesystem::remove(attempt.lock());
  const auto refused = exec::recover(bench.project);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().front().code == "LB4108");
  const auto running = bench.project.store().running_attempts();
  REQUIRE(running.ok());
  CHECK(running->size() == 1);
  CHECK(std::filesystem::exists((attempt.*file)()));
}
