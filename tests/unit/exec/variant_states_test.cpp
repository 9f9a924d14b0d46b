#include "exec/variant_states.h"

#include <catch2/catch.hpp>

#include "base/words.h"
#include "graph/gates.h"

using namespace lowbit;
using namespace lowbit::exec;

namespace {

using Indices = std::vector<graph::VariantIndex>;

const StageDescription& plugin() {
  static const StageDescription one{.id = "lowbit.x", .version = "1.0.0", .kind = StageKind::dataset, .summary = "x"};
  return one;
}

/// Stages a, b, c, ... in a graph where each reads what some of the former make, and a plan that runs all of them.
struct Run {
  graph::ExpandedGraph graph;
  graph::Plan plan;
  graph::ExternalDigests externals{{"data", sha256("data")}};
  std::optional<std::set<graph::VariantIndex>> only;

  graph::Variant& add(const Indices& producers, const Indices& keepers = {}) {
    graph::Variant& variant = graph.variants.emplace_back();
    variant.stage = std::string(1, static_cast<char>('a' + plan.variants.size()));
    variant.plugin = &plugin();
    if (!producers.empty()) variant.inputs.push_back({.port = "in", .members = {}});
    for (const graph::VariantIndex producer : producers) {
      variant.inputs.front().members.push_back({.at = {}, .source = graph::Produced{producer, "out", keepers}});
    }
    graph::PlannedVariant& planned = plan.variants.emplace_back();
    planned.variant = plan.variants.size() - 1;
    planned.own = graph::own_record(variant, "cpu");
    planned.provenance.digest = sha256("p:" + variant.stage);
    return variant;
  }
  void reuse(graph::VariantIndex index, const std::string& gate = {}) {
    graph::PlannedVariant& planned = plan.variants[index];
    planned.decision = graph::Decision::reuse;
    planned.result = StageResult{.outputs = output_of(index)};
    planned.gate = gate;
  }
  [[nodiscard]] VariantStates states() const { return {graph, plan, externals, only, {}}; }

  static std::map<std::string, ArtifactRef> output_of(graph::VariantIndex index) {
    return {{"out", {.type = "file", .digest = sha256("a:" + std::to_string(index))}}};
  }
};

/// All that can be looked at now.
Indices unblocked(VariantStates& states) {
  Indices all;
  while (const auto next = states.next_unblocked()) all.push_back(*next);
  return all;
}

void succeed(VariantStates& states, graph::VariantIndex index, const std::string& gate = {}) {
  states.succeed(index, VariantState::done, Run::output_of(index), gate);
}

std::string names(const VariantStates& states) {
  std::vector<std::string> all;
  for (const VariantNow& one : states.now()) all.emplace_back(name_of(one.state));
  return joined(all, " ");
}

}  // namespace

TEST_CASE("a variant can be looked at when all of its producers have settled", "[exec][states]") {
  Run run;
  run.add({});
  run.add({});
  run.add({0, 1});
  VariantStates states = run.states();
  CHECK(unblocked(states) == Indices{0, 1});
  states.schedule(0);
  CHECK(states.is_open(0));
  succeed(states, 0);
  CHECK(unblocked(states).empty());
  succeed(states, 1);
  CHECK(unblocked(states) == Indices{2});
  CHECK_FALSE(states.hold_back(2));
  CHECK(names(states) == "done done waiting");
  CHECK(states.unsettled() == 1);
  CHECK(states.counts().done == 2);
}

TEST_CASE("what the plan reuses, holds back and leaves out has settled from the start", "[exec][states]") {
  Run run;
  run.add({});
  run.add({});
  run.add({1});
  run.add({});
  run.add({0});
  run.reuse(0);
  run.reuse(1, "too much");
  run.plan.variants[2].decision = graph::Decision::gated;
  run.plan.variants[2].gate = "b is gated: too much";
  run.only = {4};
  VariantStates states = run.states();
  CHECK(names(states) == "reused gated left_out left_out waiting");
  run.only.reset();
  VariantStates all = run.states();
  CHECK(names(all) == "reused gated behind_gate waiting waiting");
  CHECK(all.now()[2].text == "b is gated: too much");
  CHECK(all.counts().reused == 2);
  CHECK(all.counts().gated == 1);
  CHECK(all.counts().behind_gate == 1);
  CHECK(all.unsettled() == 2);
  CHECK(unblocked(all) == Indices{3, 4});
}

TEST_CASE("what failed blocks all that needs it, to the end of the graph", "[exec][states]") {
  Run run;
  run.add({});
  run.add({0});
  run.add({1});
  VariantStates states = run.states();
  CHECK(unblocked(states) == Indices{0});
  states.fail(0, VariantState::failed, "it broke", "stage");
  CHECK(unblocked(states) == Indices{1});
  CHECK(states.hold_back(1) == "input in needs a.out, which is not there");
  CHECK(unblocked(states) == Indices{2});
  CHECK(states.hold_back(2) == "input in needs b.out, which is not there");
  CHECK(names(states) == "failed blocked blocked");
  CHECK(states.now()[0].text == "it broke");
  CHECK(states.now()[0].cause == "stage");
  CHECK(states.counts().failed == 1);
  CHECK(states.counts().blocked == 2);
  CHECK(states.unsettled() == 0);
}

TEST_CASE("a gathered input does with as few members as it may, and its keys say which", "[exec][states]") {
  Run run;
  run.add({});
  run.add({});
  graph::BoundInput& gathered = run.add({0, 1}).inputs.front();
  gathered.gathered = true;
  gathered.min_members = 1;
  VariantStates states = run.states();
  succeed(states, 0);
  states.fail(1, VariantState::failed, "it broke", "stage");
  CHECK_FALSE(states.hold_back(2));
  const graph::PlannedVariant some = states.know_inputs(2);
  CHECK(some.provenance.digest == states.provenance(2).digest);
  CHECK(some.content->digest == states.content(2).digest);
  CHECK(states.provenance(2).record.text().find(run.plan.variants[1].provenance.digest.hex()) == std::string::npos);

  VariantStates whole = run.states();
  succeed(whole, 0);
  succeed(whole, 1);
  const graph::PlannedVariant all = whole.know_inputs(2);
  CHECK(all.provenance.digest != some.provenance.digest);
  CHECK(all.content->digest != some.content->digest);
}

TEST_CASE("a gate that does not hold keeps back what its result is made into, and says so further on",
          "[exec][states]") {
  Run run;
  run.add({});
  run.add({0});
  run.add({1});
  VariantStates states = run.states();
  succeed(states, 0, "perplexity is 12, above 10");
  const auto first = states.hold_back(1);
  REQUIRE(first);
  CHECK(*first == graph::behind_gate("a", "perplexity is 12, above 10"));
  CHECK(states.hold_back(2) == first);
  CHECK(names(states) == "gated behind_gate behind_gate");
  CHECK(states.counts().done == 1);
  CHECK(states.counts().gated == 1);
  CHECK(states.counts().behind_gate == 2);
}

TEST_CASE("what a gate of another stage holds waits for that stage's verdict", "[exec][states]") {
  Run run;
  run.add({});        // a model
  run.add({0});       // its measurement, which has the gate
  run.add({0}, {1});  // reads the model when the measurement lets it through
  VariantStates states = run.states();
  succeed(states, 0);
  const graph::Member& model = run.graph.variants[2].inputs.front().members.front();
  CHECK_FALSE(states.artifact_of(model));
  SECTION("it lets it through") {
    succeed(states, 1);
    CHECK(states.artifact_of(model)->digest == Run::output_of(0).at("out").digest);
    CHECK_FALSE(states.hold_back(2));
  }
  SECTION("it does not") {
    succeed(states, 1, "it is too much");
    CHECK(states.hold_back(2) == graph::behind_gate("b", "it is too much"));
  }
  SECTION("there is none") {
    states.fail(1, VariantState::cancelled, "cancelled", "cancelled");
    CHECK(states.hold_back(2) == "input in waits for the gate of b, which has no result");
  }
}

TEST_CASE("an external input is there from the start", "[exec][states]") {
  Run run;
  run.add({});
  VariantStates states = run.states();
  const graph::Member outside{.at = {},
                              .source = graph::External{.name = "d", .type = "file", .path = "data", .span = {}}};
  CHECK(states.artifact_of(outside)->digest == sha256("data"));
}

TEST_CASE("what failed for a cause waits anew, with what that blocked", "[exec][states]") {
  Run run;
  run.add({});
  run.add({});
  run.add({0});
  run.add({1});
  run.add({2, 3});
  VariantStates states = run.states();
  states.fail(0, VariantState::failed, "no room", "resource");
  states.fail(1, VariantState::cancelled, "cancelled", "cancelled");
  for (const graph::VariantIndex index : Indices{2, 3, 4}) REQUIRE(states.hold_back(index));
  static_cast<void>(unblocked(states));
  SECTION("all of it") {
    CHECK(states.reopen("", {}) == Indices{0, 1, 2, 3, 4});
    CHECK(names(states) == "waiting waiting waiting waiting waiting");
    CHECK(unblocked(states) == Indices{0, 1});
    CHECK(states.counts().failed + states.counts().cancelled + states.counts().blocked == 0);
    CHECK(states.unsettled() == 5);
  }
  SECTION("of one cause") {
    CHECK(states.reopen("resource", {}) == Indices{0, 2, 4});
    CHECK(names(states) == "waiting cancelled waiting blocked waiting");
    CHECK(unblocked(states) == Indices{0});
    CHECK(states.now()[0].text.empty());
  }
  SECTION("of some") { CHECK(states.reopen("", {1}) == Indices{1, 3, 4}); }
  SECTION("of none") {
    CHECK(states.reopen("stalled", {}).empty());
    CHECK(states.unsettled() == 0);
  }
}

TEST_CASE("one that was cancelled while it waited is not looked at any more", "[exec][states]") {
  Run run;
  run.add({});
  run.add({});
  VariantStates states = run.states();
  states.fail(0, VariantState::cancelled, "cancelled: before it started", "cancelled");
  CHECK(unblocked(states) == Indices{1});
}

TEST_CASE("what more work stands behind goes first, and what is there is none", "[exec][states]") {
  Run run;
  run.add({});
  run.add({0});
  run.add({1});
  run.reuse(0);
  const VariantStates states = run.states();
  CHECK(states.priority(1) == 2);
  CHECK(states.priority(2) == 1);
}
