#include "component/conformance/conformance_fixture.h"
#include "exec/conformance_bench.h"
#include "plugin/describe_in_child.h"

using namespace lowbit;
using namespace lowbit::test;
using exec::ConformanceRequest;
using exec::GivenInput;

namespace {

// A quick stage has ended before anybody can ask it to stop.
void requires_no_failure(const Findings& findings) {
  for (const exec::CheckResult& result : findings.all) {
    INFO(result.check << ": " << result.evidence);
    CHECK(result.finding != exec::Finding::fail);
    CHECK((result.finding != exec::Finding::skip || result.check == "cancel"));
  }
}

/// Outputs of toy stages, made by the same bench that checks them.
class ToyStudy {
 public:
  ToyStudy() : bench_(kProgram, kToys / "toy.so") {
    auto plugin = plugin::describe_in_child({.program = kProgram})(kToys / "toy.so");
    REQUIRE(plugin.ok());
    plugin_ = *std::move(plugin);
  }

  std::filesystem::path make(const std::string& id, const std::string& port, const std::vector<GivenInput>& inputs) {
    for (const StageDescription& stage : plugin_.stages) {
      if (stage.id != id) continue;
      exec::TestJob job;
      for (const GivenInput& input : inputs) job.inputs[input.port].push_back({.path = input.path, .type = input.type});
      auto ended = bench_.run(stage, job);
      REQUIRE(ended.ok());
      INFO(ended->ending());
      REQUIRE(ended->ended_well());
      kept_.push_back(*std::move(ended));
      return kept_.back().attempt.output(port);
    }
    FAIL("there is no toy " << id);
    return {};
  }

 private:
  Directory in_memory_;
  exec::TestBench bench_;
  PluginDescription plugin_;
  std::vector<exec::EndedJob> kept_;
};

}  // namespace

TEST_CASE("the template keeps every promise", "[conformance]") {
  const Directory files;
  const auto text = files.file("text.txt", "to be or not to be\n");
  const Findings findings = check({.library = kTemplate, .inputs = {{"text", "", text}}});
  requires_no_failure(findings);
  CHECK(findings.all.size() == 17);
  CHECK(findings.evidence("exports") == "lowbit_plugin and nothing else");
  CHECK(findings.evidence("runs") == R"(with {"min_count":1})");
  CHECK(findings.evidence("bad-params") == "1 value outside the schema refused as LB_BAD_PARAM by name");
}

TEST_CASE("toys that do what they say keep every promise", "[conformance]") {
  const Directory files;
  const auto text = files.file("text.txt", "a\n");
  const auto toy = kToys / "toy.so";
  requires_no_failure(check({.library = toy, .stage = "lowbit.toy.source"}));
  requires_no_failure(check({.library = toy, .stage = "lowbit.toy.constant", .inputs = {{"in", "", text}}}));
  const Findings seeded = check({.library = toy, .stage = "lowbit.toy.seeded-source"});
  requires_no_failure(seeded);
  CHECK(seeded.evidence("seed") == "seeded: with another seed the result is another");
  const Findings gathered =
      check({.library = toy, .stage = "lowbit.toy.concat", .inputs = {{"in", "", text}, {"in", "file", text}}});
  requires_no_failure(gathered);
  CHECK(gathered.evidence("bad-inputs") == "empty and cut inputs: taken as they are");
}

TEST_CASE("a slow, resumable toy is cancelled, killed and resumed, and keeps every promise", "[conformance]") {
  const Directory files;
  const Findings findings = check({.library = kToys / "toy.so",
                                   .stage = "lowbit.toy.transform",
                                   .inputs = {{"in", "", files.file("text.txt", "a\n")}},
                                   .params = {param("delay_ms", 30), param("steps", 5), param("delay_ms", 1)}});
  requires_no_failure(findings);
  CHECK(findings.skipped().empty());
  CHECK(findings.evidence("optional-inputs") == "it runs without `in`");
  CHECK(findings.evidence("no-effect") ==
        "the result is the same with checkpoint_every = 2, checkpoint_every = 0, delay_ms = 1");
  CHECK_THAT(findings.evidence("cancel"), Catch::StartsWith("asked at 5 moments: "));
  CHECK_THAT(findings.evidence("resume"), Catch::StartsWith("killed after a checkpoint and resumed "));
}

TEST_CASE("a study of all five kinds keeps every promise", "[conformance]") {
  ToyStudy study;
  const auto toy = kToys / "toy.so";
  const GivenInput model{"model", "model/1", study.make("lowbit.toy.model", "model", {})};
  const GivenInput task{"task", "task/1", study.make("lowbit.toy.task", "task", {})};
  const GivenInput predictions{"predictions", "", study.make("lowbit.toy.answer", "predictions", {model, task})};
  requires_no_failure(check({.library = toy, .stage = "lowbit.toy.task"}));
  requires_no_failure(check({.library = toy, .stage = "lowbit.toy.round", .inputs = {{"model", "", model.path}}}));
  requires_no_failure(check({.library = toy, .stage = "lowbit.toy.shift", .inputs = {model}}));
  requires_no_failure(check({.library = toy, .stage = "lowbit.toy.answer", .inputs = {model, task}}));
  requires_no_failure(check({.library = toy, .stage = "lowbit.toy.judge", .inputs = {predictions, task}}));
}
