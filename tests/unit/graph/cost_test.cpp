// Estimates, and which part of a plan a retry takes.
#include "graph/cost.h"

#include <catch2/catch.hpp>

#include "graph/selection.h"
#include "unit/graph/study.h"

namespace lowbit::test {
namespace {

constexpr const char* kCatalog = R"(
toy.a: -> out:file
  {"x": {"type": "integer"}}
toy.b: in:file -> out:file
toy.join: in*:file -> out:file
)";

constexpr const char* kStudy = R"(experiment: e
matrix: {x: [1, 2, 3]}
stages:
  - {id: first, use: toy.a, params: {x: "${x}"}}
  - {id: second, use: toy.b, with: {in: first.out}, resources: {cpus: 2}}
  - {id: all, use: toy.join, with: {in: {each: second.out, over: [x]}}}
)";

graph::CostSample sample(const std::string& label, const std::string& plugin, double seconds, std::uint64_t bytes) {
  return {.label = label, .plugin_id = plugin, .seconds = seconds, .bytes = bytes};
}

}  // namespace

TEST_CASE("an estimate takes the same variant before others of its stage, and their median", "[graph][cost]") {
  const Study study(kCatalog);
  const graph::ExpandedGraph graph = study.expand(kStudy);
  const graph::CostHistory history({sample("first[x=1]", "toy.a", 10, 100), sample("first[x=2]", "toy.a", 1, 10),
                                    sample("first[x=2]", "toy.a", 3, 30), sample("first[x=2]", "toy.a", 90, 20),
                                    sample("second[x=1]", "toy.other", 50, 1)});
  CHECK(history.of(graph.variants[0])->seconds == 10);
  CHECK(history.of(graph.variants[1])->seconds == 3);
  CHECK(history.of(graph.variants[1])->bytes == 20);
  CHECK(history.of(graph.variants[1])->from == 3);
  CHECK(history.of(graph.variants[2])->from == 4);
  CHECK(history.results_like(graph.variants[2]) == 4);
  CHECK_FALSE(history.of(graph.variants[3]));  // another plugin's results say nothing
}

TEST_CASE("the time of a plan is its longest chain or its work spread over the processors", "[graph][cost]") {
  const Study study(kCatalog);
  const graph::ExpandedGraph graph = study.expand(kStudy);
  const graph::Plan plan = study.plan(graph);
  const graph::CostHistory history({sample("first[x=1]", "toy.a", 10, 1000), sample("second[x=1]", "toy.b", 4, 24)});
  const graph::PlanCost narrow = graph::cost_of(graph, plan, history, 2);
  CHECK(narrow.known == 6);
  CHECK(narrow.unknown == 1);
  CHECK(narrow.from == 2);
  CHECK(narrow.seconds == 42);
  CHECK(narrow.at_once == 27);  // (3 * 10 + 3 * 4 * 2) / 2
  CHECK(narrow.bytes == 3072);
  CHECK(graph::cost_of(graph, plan, history, 8).at_once == 14);  // first, then second
  CHECK(graph::cost_text(narrow, 2) ==
        "estimate: 27 s on 2 processors (42 s one by one), 3.0 KiB of disk, from 2 earlier results; unknown for 1 "
        "variant\n");
  CHECK(graph::cost_text(graph::cost_of(graph, plan, {}, 2), 2) == "estimate: unknown, nothing like it has run here\n");
  CHECK(graph::cost_text({}, 2).empty());
  CHECK(
      graph::cost_json(graph::cost_of(graph, plan, {}, 2)) ==
      Json{{"known", 0}, {"unknown", 7}, {"from", 0}, {"seconds", nullptr}, {"at_once", nullptr}, {"bytes", nullptr}});
}

TEST_CASE("a retry takes what is chosen, what it needs, and what then lacks nothing", "[graph][selection]") {
  Study study(kCatalog);
  const graph::ExpandedGraph graph = study.expand(kStudy);
  const auto labels = [&](const std::set<graph::VariantIndex>& indices) {
    std::vector<std::string> out;
    for (const graph::VariantIndex index : indices) out.push_back(graph.variants[index].label());
    return out;
  };
  using Labels = std::vector<std::string>;
  graph::Plan plan = study.plan(graph);
  // Nothing is there: what is chosen needs its producer; the others stay out, and so does what needs them.
  CHECK(labels(graph::with_dependants(graph, plan, {4})) == Labels{"first[x=2]", "second[x=2]"});
  CHECK(labels(graph::with_dependants(graph, plan, {0})) == Labels{"first[x=1]", "second[x=1]"});
  CHECK(labels(graph::with_dependants(graph, plan, {})).empty());
  study.run(kStudy, {.plan = {}, .fails = {"second[x=2]"}, .killed_before = {}});
  plan = study.plan(graph);
  CHECK(labels(graph::with_dependants(graph, plan, {4})) == Labels{"second[x=2]", "all"});
  CHECK(labels(graph::with_dependants(graph, plan, {0, 4})) == Labels{"second[x=2]", "all"});  // reused: nothing to do
}

}  // namespace lowbit::test
