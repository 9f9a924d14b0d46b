#include <catch2/catch.hpp>

#include "graph/plan_text.h"
#include "unit/graph/study.h"

namespace lowbit::test {
namespace {

constexpr const char* kCatalog = R"(
toy.a: -> out:file
  {"x": {"type": "integer"}, "z": {"type": "integer", "default": 0}}
toy.b: in:file -> out:file
)";

std::string experiment(const std::string& params) {
  return "experiment: e\nmatrix: {use: [a, b]}\nstages:\n  - {id: first, use: toy.a, params: {" + params +
         "}}\n  - {id: second, use: 'toy.${use}', with: {in: first.out}}\n";
}

}  // namespace

TEST_CASE("details show every difference behind a reason that has several", "[graph][plan]") {
  Study study(kCatalog);
  study.run(experiment("x: 1"));
  const graph::ExpandedGraph graph = study.expand(experiment("x: 2, z: 3"));
  const graph::Plan plan = study.plan(graph);
  CHECK(graph::plan_text(graph, plan) == R"(run    first          parameter x 1 -> 2 and 1 more
reuse  second[use=a]  up to date
maybe  second[use=b]  waits for first
3 variants: 1 reuse, 1 run, 1 maybe
note: stage `second`: toy.a has no input `in`; dropped there
)");
  CHECK_THAT(graph::plan_text(graph, plan, {.details = true}),
             Catch::StartsWith("run    first          parameter x 1 -> 2 and 1 more\n"
                               "         parameter x 1 -> 2\n"
                               "         parameter z 0 -> 3\n"
                               "reuse  second[use=a]  up to date\n"));
}

TEST_CASE("a plan as JSON holds decisions, reasons, keys and counts", "[graph][plan]") {
  Study study(kCatalog);
  study.run(experiment("x: 1"));
  const graph::ExpandedGraph graph = study.expand(experiment("x: 2"));
  const graph::Plan plan = study.plan(graph);
  const Json json = graph::plan_json(graph, plan);
  CHECK(json["experiment"] == "e");
  CHECK(json["counts"] == Json{{"reuse", 1}, {"run", 1}, {"maybe", 1}, {"gated", 0}});
  CHECK(json["notes"] == Json{"stage `second`: toy.a has no input `in`; dropped there"});
  CHECK(json["notices"] == Json::array());
  CHECK(json["variants"][0] ==
        Json{{"stage", "first"},
             {"coordinates", Json::object()},
             {"label", "first"},
             {"plugin", "toy.a"},
             {"decision", "run"},
             {"reason",
              {{"kind", "record_changed"}, {"text", "parameter x 1 -> 2"}, {"details", {"parameter x 1 -> 2"}}}},
             {"provenance_key", plan.variants[0].provenance.digest.hex()},
             {"content_key", plan.variants[0].content->digest.hex()},
             {"gate", nullptr},
             {"after_gates", Json::array()}});
  CHECK(json["variants"][2]["decision"] == "maybe");
  CHECK(json["variants"][2]["coordinates"] == Json{{"use", "b"}});
  CHECK(json["variants"][2]["content_key"] == nullptr);
}

TEST_CASE("every kind of reason has the name of its enumerator", "[graph][plan]") {
  using graph::ReasonKind;
  CHECK(graph::name_of(ReasonKind::up_to_date) == "up_to_date");
  CHECK(graph::name_of(ReasonKind::never_ran) == "never_ran");
  CHECK(graph::name_of(ReasonKind::record_changed) == "record_changed");
  CHECK(graph::name_of(ReasonKind::input_recreated) == "input_recreated");
  CHECK(graph::name_of(ReasonKind::input_pending) == "input_pending");
  CHECK(graph::name_of(ReasonKind::artifact_missing) == "artifact_missing");
  CHECK(graph::name_of(ReasonKind::forced) == "forced");
  CHECK(graph::name_of(ReasonKind::behind_gate) == "behind_gate");
  CHECK(graph::name_of(ReasonKind::plugin_file_changed) == "plugin_file_changed");
  CHECK(graph::name_of(ReasonKind::late_member) == "late_member");
}

}  // namespace lowbit::test
