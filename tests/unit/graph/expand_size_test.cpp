#include <catch2/catch.hpp>

#include "graph/expand.h"
#include "support/toy_catalog.h"

namespace lowbit::test {
namespace {

Text text(std::string value) { return {std::move(value), {}}; }

Axis axis(const std::string& name, int n_values) {
  Axis axis{text(name), {}};
  for (int i = 0; i < n_values; ++i) axis.values.push_back({i, {}});
  return axis;
}

StageSpec stage(const std::string& id, const std::string& source, const std::string& param) {
  StageSpec stage;
  stage.id = text(id);
  stage.use = text("toy.s");
  stage.with.push_back({text("in"), {.form = Binding::Form::direct, .sources = {text(source)}}});
  stage.params.push_back({text("x"), {param, {}}});
  return stage;
}

}  // namespace

TEST_CASE("ten thousand points of six stages expand to one variant per distinct projection", "[graph]") {
  ExperimentSpec spec;
  spec.axes = {axis("a", 10), axis("b", 10), axis("c", 10), axis("d", 10)};
  spec.inputs.push_back({text("base"), text("file"), text("base")});
  spec.stages = {stage("s0", "inputs.base", "0"), stage("s1", "s0.out", "${a}"), stage("s2", "s1.out", "${b}"),
                 stage("s3", "s2.out", "${c}"),   stage("s4", "s3.out", "${d}"), stage("pool", "s4.out", "0")};
  Binding& gathered = spec.stages.back().with.front().binding;
  gathered.form = Binding::Form::each;
  gathered.over = {text("c"), text("d")};
  const ToyCatalog catalog("toy.s: in*:file -> out:file\n  {\"x\": {\"type\": [\"string\", \"integer\"]}}\n");

  const Result<graph::ExpandedGraph> graph = graph::expand(spec, catalog);
  REQUIRE(graph.ok());
  CHECK(graph->variants.size() == 1 + 10 + 100 + 1000 + 10000 + 100);
  CHECK(graph->variants.back().label() == "pool[a=9,b=9]");
  CHECK(graph->variants.back().inputs.front().members.size() == 100);
  CHECK(graph->notes.empty());
}

TEST_CASE("a chain of ten thousand stages that is written from its end expands", "[graph]") {
  constexpr int kStages = 10'000;
  ExperimentSpec spec;
  spec.inputs.push_back({text("base"), text("file"), text("base")});
  for (int i = kStages; i > 0; --i) {
    const std::string source = i == 1 ? "inputs.base" : "s" + std::to_string(i - 1) + ".out";
    spec.stages.push_back(stage("s" + std::to_string(i), source, "0"));
  }
  const ToyCatalog catalog("toy.s: in*:file -> out:file\n  {\"x\": {\"type\": [\"string\", \"integer\"]}}\n");

  const Result<graph::ExpandedGraph> graph = graph::expand(spec, catalog);
  REQUIRE(graph.ok());
  CHECK(graph->variants.size() == kStages);
  CHECK(graph->variants.front().label() == "s1");
  CHECK(graph->variants.back().label() == "s10000");
}

}  // namespace lowbit::test
