#include "exec/dependencies.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using namespace lowbit::exec;

namespace {

const StageDescription& plugin() {
  static const StageDescription one{.id = "lowbit.x", .version = "1.0.0", .kind = StageKind::dataset, .summary = "x"};
  return one;
}

/// Variant i reads what `inputs[i]` make; its stage is the letter of i.
graph::ExpandedGraph graph_of(const std::vector<std::vector<graph::VariantIndex>>& inputs) {
  graph::ExpandedGraph graph;
  for (const auto& producers : inputs) {
    graph::Variant variant;
    variant.stage = std::string(1, static_cast<char>('a' + graph.variants.size()));
    variant.plugin = &plugin();
    for (const graph::VariantIndex producer : producers) {
      variant.inputs.push_back({.port = "in", .members = {{.at = {}, .source = graph::Produced{producer, "out"}}}});
    }
    graph.variants.push_back(std::move(variant));
  }
  return graph;
}

using Indices = std::vector<graph::VariantIndex>;

}  // namespace

TEST_CASE("a variant is free when the last of its producers has settled", "[exec]") {
  Dependencies dependencies(graph_of({{}, {}, {0, 1, 0}, {2}}));
  CHECK(dependencies.waiting_for(2) == 2);
  CHECK(dependencies.settle(0).empty());
  CHECK(dependencies.settle(1) == Indices{2});
  CHECK(dependencies.settle(2) == Indices{3});
  CHECK(dependencies.settle(3).empty());
}

TEST_CASE("without history the way to the end is counted in stages", "[exec]") {
  const graph::ExpandedGraph graph = graph_of({{}, {0}, {1}, {0}});
  const std::vector<double> paths = critical_paths(Dependencies(graph), expected_seconds(graph, {}));
  CHECK(paths == std::vector<double>{3, 2, 1, 1});
}

TEST_CASE("history of the stage counts before that of the plugin, and what is unknown takes the mean", "[exec]") {
  graph::ExpandedGraph graph = graph_of({{}, {}, {}});
  StageDescription other = plugin();
  other.id = "lowbit.y";
  graph.variants[2].plugin = &other;
  CHECK(expected_seconds(graph, {.by_stage = {{"a", 10}}, .by_plugin = {{"lowbit.x", 20}}}) ==
        std::vector<double>{10, 20, 15});
}
