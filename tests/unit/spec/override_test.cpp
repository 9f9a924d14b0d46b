#include "spec/overrides.h"

#include <catch2/catch.hpp>

#include "spec/scalar.h"

namespace lowbit::spec {
namespace {

constexpr const char* kFile = R"(experiment: e
replicates: 2
matrix: {bits: [4, 3], exclude: [{bits: 3}]}
stages:
  - {id: q, use: a.b, with: {model: inputs.m}, params: {deep: {list: [1, 2]}}}
)";

struct Outcome {
  Json tree;
  std::string problems;
};

Outcome set(const std::vector<std::string>& arguments) {
  Diagnostics problems;
  const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", kFile});
  std::optional<Node> root = parse_yaml(source, 0, problems);
  REQUIRE(root.has_value());
  std::vector<Override> overrides;
  for (const std::string& argument : arguments) {
    const std::string name = "--set #" + std::to_string(overrides.size() + 1);
    overrides.push_back({std::make_shared<const SourceText>(SourceText{name, argument})});
  }
  apply_overrides(*root, overrides, problems);
  const std::string text = render(problems);
  Diagnostics unread;
  return {value_of(*root, unread), text};
}

Json with(const std::string& argument) {
  const Outcome outcome = set({argument});
  INFO(argument << "\n" << outcome.problems);
  CHECK(outcome.problems.empty());
  return outcome.tree;
}

}  // namespace

TEST_CASE("a path leads through keys, stage ids and list elements", "[spec][set]") {
  CHECK(with("matrix.bits=[2]")["matrix"]["bits"] == Json{2});
  CHECK(with("matrix.bits[1]=8")["matrix"]["bits"] == Json({4, 8}));
  CHECK(with("matrix.exclude[0].bits=4")["matrix"]["exclude"][0]["bits"] == 4);
  CHECK(with("stages.q.use=c.d")["stages"][0]["use"] == "c.d");
  CHECK(with("stages[0].id=r")["stages"][0]["id"] == "r");
  CHECK(with("stages.q.params.deep.list[0]=x")["stages"][0]["params"]["deep"]["list"] == Json({"x", 2}));
}

TEST_CASE("a value is YAML: quotes, lists and mappings as in the file", "[spec][set]") {
  CHECK(with("stages.q.params.x=\"010\"")["stages"][0]["params"]["x"] == "010");
  CHECK(with("stages.q.params.x={a: [1, b=c]}")["stages"][0]["params"]["x"] == Json{{"a", {1, "b=c"}}});
  CHECK(with("stages.q.params.x= 1e-3 ")["stages"][0]["params"]["x"] == 1e-3);
}

TEST_CASE("keys of the language and parameters may be added, with what lies between", "[spec][set]") {
  CHECK(with("stages.q.params.group_size=64")["stages"][0]["params"]["group_size"] == 64);
  CHECK(with("stages.q.params.a.b.c=1")["stages"][0]["params"]["a"]["b"]["c"] == 1);
  CHECK(with("stages.q.resources.cpus=4")["stages"][0]["resources"]["cpus"] == 4);
  CHECK(with("inputs={}")["inputs"] == Json::object());
}

TEST_CASE("names of the author's own may not be added", "[spec][set]") {
  for (const char* argument : {"matrix.bit=[4]", "inputs.m.path=x", "stages.q.with.data=inputs.d", "stages.p.use=a.b",
                               "stages[1].use=a.b", "matrix.bits[2]=2", "matrix.exclude[0].bit=4", "seed=[1]"}) {
    INFO(argument);
    const Outcome outcome = set({argument});
    CHECK_THAT(outcome.problems, Catch::StartsWith("error[LB0011]"));
    CHECK(outcome.tree == set({}).tree);
  }
}

TEST_CASE("seeds and replicates take each other's place", "[spec][set]") {
  CHECK_FALSE(with("seeds=[7]").contains("replicates"));
  CHECK_FALSE(set({"seeds=[7]", "replicates=3"}).tree.contains("seeds"));
}

TEST_CASE("the later of two overrides of one value wins", "[spec][set]") {
  CHECK(set({"matrix.bits=[2]", "matrix.bits=[8]"}).tree["matrix"]["bits"] == Json{8});
}

TEST_CASE("what is not path=value is refused", "[spec][set]") {
  for (const char* argument : {"", "=", "seeds", "=3", ".seeds=1", "seeds.=1", "a..b=1", "seeds[=1", "seeds[]=1",
                               "seeds[x]=1", "[0]=1", "seeds]=1", "a[0]b=1"}) {
    INFO(argument);
    CHECK_THAT(set({argument}).problems, Catch::StartsWith("error[LB0010]"));
  }
}

}  // namespace lowbit::spec
