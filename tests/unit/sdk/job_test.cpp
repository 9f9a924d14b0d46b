#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <thread>

#include "support/fake_host.h"

namespace {

using lowbit::Job;
using lowbit::test::FakeHost;

// The body of the test's stage; a test sets it, runs it through guarded<> and looks at what the host learned.
std::function<void(const Job&)> body;
void call_body(const Job& job) { body(job); }

lb_status run(FakeHost& host, std::function<void(const Job&)> work) {
  body = std::move(work);
  return host.run(&lowbit::guarded<call_body>);
}

TEST_CASE("a job shows what the host decided", "[sdk][job]") {
  FakeHost host;
  host.seed = 7;
  host.threads = 3;
  host.device = "cuda:0";
  host.stage_id = "quantize[num_bits=3]";
  REQUIRE(run(host, [](const Job& job) {
            CHECK(job.seed() == 7);
            CHECK(job.threads() == 3);
            CHECK(job.device() == "cuda:0");
            CHECK(job.stage_id() == "quantize[num_bits=3]");
            CHECK(job.scratch() == "/fake/scratch");
            CHECK_FALSE(job.resume_from().has_value());
            CHECK(job.extension("lowbit.kv-cache/1") == nullptr);
          }) == LB_OK);
}

TEST_CASE("a job knows its share of an endpoint's requests, and that it has none elsewhere", "[sdk][job]") {
  FakeHost host;
  const auto share = [&](const std::string& endpoint) {
    std::optional<std::uint32_t> answer;
    REQUIRE(run(host, [&](const Job& job) { answer = job.requests_per_minute(endpoint); }) == LB_OK);
    return answer;
  };
  CHECK_FALSE(share("openai"));  // a host that does not know the extension
  host.rates = R"({"openai": 60, "odd": "many"})";
  CHECK(share("openai") == std::optional<std::uint32_t>(60));
  CHECK_FALSE(share("local"));
  CHECK_FALSE(share("odd"));
}

TEST_CASE("an input has path, type, digest, coordinates and closure", "[sdk][job]") {
  FakeHost host;
  host.bind("model", {.path = "/a", .type = "adapter/1", .closure = R"({"00":{"path":"/b","type":"model/1"}})"});
  REQUIRE(run(host, [](const Job& job) {
            const lowbit::Input model = job.input("model");
            CHECK(model.path == "/a");
            CHECK(model.type == "adapter/1");
            CHECK(model.digest == std::string(64, '0'));
            CHECK(model.coordinates == nlohmann::json::object());
            CHECK(model.closure.at("00").at("type") == "model/1");
          }) == LB_OK);
}

TEST_CASE("the members of a gathered input come in the host's order with their coordinates", "[sdk][job]") {
  FakeHost host;
  host.bind("verdicts", {.path = "/b", .type = "verdicts/1", .coordinates = R"({"judge":"b"})"});
  host.bind("verdicts", {.path = "/a", .type = "verdicts/1", .coordinates = R"({"judge":"a"})"});
  REQUIRE(run(host, [](const Job& job) {
            const auto all = job.inputs("verdicts");
            REQUIRE(all.size() == 2);
            CHECK(all[0].coordinates.at("judge") == "b");
            CHECK(all[1].path == "/a");
          }) == LB_OK);
}

TEST_CASE("an unbound optional input is empty and can be asked for", "[sdk][job]") {
  FakeHost host;
  REQUIRE(run(host, [](const Job& job) {
            CHECK_FALSE(job.has_input("calibration"));
            CHECK(job.inputs("calibration").empty());
          }) == LB_OK);
}

TEST_CASE("reading an input that is not bound fails as the plugin's mistake", "[sdk][job]") {
  FakeHost host;
  CHECK(run(host, [](const Job& job) { (void)job.input("calibration"); }) == LB_INTERNAL);
  REQUIRE(host.errors.size() == 1);
  CHECK(host.errors[0].what == "the stage read input `calibration`, which is not bound");
  CHECK(host.errors[0].fix == "report this to the plugin's author: ask has_input() first");
}

TEST_CASE("an output the stage does not declare fails as the plugin's mistake", "[sdk][job]") {
  FakeHost host;
  CHECK(run(host, [](const Job& job) { CHECK(job.output("out") == "/fake/out"); }) == LB_OK);
  CHECK(run(host, [](const Job& job) { (void)job.output("aside"); }) == LB_INTERNAL);
  CHECK(host.errors.at(0).what == "the stage wrote output `aside`, which it does not have");
}

TEST_CASE("a final metric has step -1 and a curve point its own step", "[sdk][job]") {
  FakeHost host;
  REQUIRE(run(host, [](const Job& job) {
            job.metric("gsm8k/exact_match", 0.5, "fraction", {.count = 1319, .std_error = 0.01});
            job.metric("weights/nmse", 0.25, "ratio");
            job.curve("train/loss", 0.7, "nats", 12);
          }) == LB_OK);
  REQUIRE(host.metrics.size() == 3);
  CHECK(host.metrics[0].name == "gsm8k/exact_match");
  CHECK(host.metrics[0].unit == "fraction");
  CHECK(host.metrics[0].count == 1319);
  CHECK(host.metrics[0].std_error == 0.01);
  CHECK(host.metrics[0].step == -1);
  CHECK(std::isnan(host.metrics[1].std_error));
  CHECK(host.metrics[1].count == 0);
  CHECK(host.metrics[2].step == 12);
}

TEST_CASE("tick reports progress and stops the stage when the host asks", "[sdk][job]") {
  FakeHost host;
  host.cancel_after_ticks = 3;
  CHECK(run(host, [](const Job& job) {
          for (std::uint64_t layer = 0; layer < 32; ++layer) job.tick(layer, 32, "layers");
        }) == LB_CANCELLED);
  REQUIRE(host.progress.size() == 3);
  CHECK(host.progress.back().done == 2);
  CHECK(host.progress.back().unit == "layers");
  CHECK(host.errors.empty());
}

TEST_CASE("a stage that catches std::exception around its loop is still cancelled", "[sdk][job]") {
  FakeHost host;
  host.cancel_after_ticks = 1;
  CHECK(run(host, [](const Job& job) {
          try {
            job.tick(0, 1, "items");
          } catch (const std::exception&) {
          }
        }) == LB_CANCELLED);
}

TEST_CASE("log lines carry their level", "[sdk][job]") {
  FakeHost host;
  REQUIRE(run(host, [](const Job& job) {
            job.debug("d");
            job.info("i");
            job.warn("w");
            job.error("e");
          }) == LB_OK);
  CHECK(host.log == std::vector<std::pair<std::int32_t, std::string>>{
                        {LB_LOG_DEBUG, "d"}, {LB_LOG_INFO, "i"}, {LB_LOG_WARN, "w"}, {LB_LOG_ERROR, "e"}});
}

TEST_CASE("reports may come from any thread", "[sdk][job]") {
  FakeHost host;
  REQUIRE(run(host, [](const Job& job) {
            std::thread other([&] { job.curve("train/loss", 1, "nats", 0); });
            job.curve("train/loss", 2, "nats", 1);
            other.join();
          }) == LB_OK);
  CHECK(host.metrics.size() == 2);
}

TEST_CASE("a checkpoint is written into the host's directory and committed", "[sdk][job]") {
  FakeHost host;
  host.resume_from = "/ckpt/4";
  REQUIRE(run(host, [](const Job& job) {
            CHECK(job.resume_from() == std::filesystem::path("/ckpt/4"));
            job.checkpoint(8, [](const std::filesystem::path& into) { CHECK(into == "/fake/checkpoint-8"); });
          }) == LB_OK);
  CHECK(host.checkpoints == std::vector<std::uint64_t>{8});
}

TEST_CASE("a checkpoint whose writer fails is not committed", "[sdk][job]") {
  FakeHost host;
  CHECK(run(host, [](const Job& job) {
          job.checkpoint(8, [](const std::filesystem::path&) { throw std::runtime_error("no"); });
        }) == LB_INTERNAL);
  CHECK(host.checkpoints.empty());
}

TEST_CASE("a checkpoint the host cannot commit ends the stage with the host's status", "[sdk][job]") {
  FakeHost host;
  host.checkpoint_status = LB_RESOURCE;
  CHECK(run(host, [](const Job& job) { job.checkpoint(8, [](const std::filesystem::path&) {}); }) == LB_RESOURCE);
  REQUIRE(host.errors.size() == 1);
  CHECK(host.errors[0].what == "a checkpoint could not be committed");
  CHECK(host.errors[0].where == "checkpoint 8");
  CHECK(host.errors[0].why == "the host answered with status 5");
}

TEST_CASE("the seed of a stream depends on the seed and on its purpose, by a recipe that never changes", "[sdk][rng]") {
  // Computed independently (Python, arbitrary precision): splitmix64(splitmix64(seed) ^ fnv1a64(purpose)).
  STATIC_REQUIRE(lowbit::stream_seed(0, "") == 0x5B21F68FFA77F14CU);
  STATIC_REQUIRE(lowbit::stream_seed(0, "shuffle") == 0xBE553636A0EE8295U);
  STATIC_REQUIRE(lowbit::stream_seed(1, "shuffle") == 0x1F035040073310EEU);
  STATIC_REQUIRE(lowbit::stream_seed(1, "dropout") == 0x8D283FEA66D0EEFFU);
}

TEST_CASE("two draws for one purpose are the same stream, and another purpose is another stream", "[sdk][rng]") {
  FakeHost host;
  host.seed = 11;
  REQUIRE(run(host, [](const Job& job) {
            auto a = job.rng("shuffle");
            auto b = job.rng("shuffle");
            CHECK(a() == b());
            CHECK(job.rng("dropout")() != job.rng("shuffle")());
            CHECK(job.seed_for("shuffle") == lowbit::stream_seed(11, "shuffle"));
          }) == LB_OK);
}

}  // namespace
