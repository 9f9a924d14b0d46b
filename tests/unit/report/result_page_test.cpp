#include "report/result_page.h"

#include <catch2/catch.hpp>

#include <limits>

using namespace lowbit;
using namespace lowbit::report;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

MetricRow metric(const std::string& name, double value) { return {.name = name, .unit = "ratio", .value = value}; }

VariantFacts never_run() {
  VariantFacts facts;
  facts.label = "later[bits=3]";
  facts.experiment = "study";
  facts.stage = "later";
  facts.plugin = "toy.score";
  facts.state = "never";
  facts.provenance_key = "abc";
  facts.record = Json{{"plugin", {{"id", "toy.score"}, {"version", "2"}}}, {"params", {{"text", "x"}}}, {"seed", 1}};
  facts.inputs.push_back({.port = "all", .at = Json{{"seed", 1}}, .made_as = "score.out"});
  return facts;
}

}  // namespace

TEST_CASE("the page of a variant that never ran holds what its key stands for", "[report]") {
  CHECK(result_page(never_run()) == R"(later[bits=3]
state           never
experiment      study
plugin          toy.score 2
provenance key  abc
content key     –

parameter  value
text       x
seed       1

input        from       type  digest
all[seed=1]  score.out  –     –
)");
}

TEST_CASE("its document says null where nothing is known", "[report]") {
  const Json document = result_document(never_run());
  CHECK(document["content_key"].is_null());
  CHECK(document["seconds"].is_null());
  CHECK(document["outputs"] == Json::array());
  CHECK(document["inputs"][0] == Json{{"port", "all"},
                                      {"at", {{"seed", 1}}},
                                      {"from", "score.out"},
                                      {"type", nullptr},
                                      {"digest", nullptr},
                                      {"path", nullptr}});
}

TEST_CASE("JSON has no infinity and no NaN: they stand as text and as null", "[report]") {
  VariantFacts facts = never_run();
  facts.metrics = {metric("large", kInfinity), metric("none", kNotANumber), metric("small", -kInfinity)};
  const Json metrics = result_document(facts)["metrics"];
  CHECK(metrics[0]["value"] == "inf");
  CHECK(metrics[1]["value"].is_null());
  CHECK(metrics[2]["value"] == "-inf");
}

TEST_CASE("only metrics that differ are differences", "[report]") {
  const std::vector<MetricRow> a{metric("gone", 1), metric("moved", 1), metric("same", 2), metric("void", kNotANumber)};
  const std::vector<MetricRow> b{metric("moved", 1.5), metric("new", kNotANumber), metric("same", 2),
                                 metric("void", kNotANumber)};
  const Json differences = metric_differences(a, b);
  REQUIRE(differences.size() == 3);
  CHECK(differences[0] == Json{{"name", "gone"}, {"unit", "ratio"}, {"a", 1.0}, {"b", nullptr}, {"delta", nullptr}});
  CHECK(differences[1] == Json{{"name", "moved"}, {"unit", "ratio"}, {"a", 1.0}, {"b", 1.5}, {"delta", 0.5}});
  CHECK(differences[2] == Json{{"name", "new"}, {"unit", "ratio"}, {"a", nullptr}, {"b", nullptr}, {"delta", nullptr}});
}
