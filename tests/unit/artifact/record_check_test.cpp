#include <catch2/catch.hpp>

#include "exec/record_check.h"

using namespace lowbit;
using exec::Problems;
using exec::RecordCheck;

namespace {

Json prediction() {
  return {{"item_id", "p1"}, {"problem_id", "p1"}, {"prompt_sha", std::string(64, 'a')},
          {"text", "4"},     {"steps", {"2+2=4"}}, {"extracted", "4"},
          {"correct", true}, {"n_tokens", 7},      {"truncated", false}};
}

std::vector<std::string> problems_of(const std::string& schema, const Json& record) {
  Problems problems;
  const bool fits = RecordCheck(schema).check(record, "f:1", problems);
  CHECK(fits == problems.empty());
  return problems.shown();
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a record that fits its schema has no problems", "[record]") {
  CHECK(problems_of("predictions-1.predictions", prediction()).empty());
}

TEST_CASE("a wrong value is shown with its field, what was expected and what was found", "[record]") {
  Json record = prediction();
  record["correct"] = "yes";
  CHECK(problems_of("predictions-1.predictions", record) ==
        Texts{"f:1: `correct` must be boolean or null, found \"yes\""});
  record = prediction();
  record["n_tokens"] = -1;
  CHECK(problems_of("predictions-1.predictions", record) ==
        Texts{"f:1: `n_tokens` must be integer, at least 0, found -1"});
  record = prediction();
  record["steps"] = {"a", 3};
  CHECK(problems_of("predictions-1.predictions", record) == Texts{"f:1: `steps[1]` must be string, found 3"});
  record = prediction();
  record["prompt_sha"] = "ABC";
  CHECK(problems_of("predictions-1.predictions", record) ==
        Texts{"f:1: `prompt_sha` must be string, like \"^[0-9a-f]{64}$\", found \"ABC\""});
}

TEST_CASE("missing and unknown fields are named, with the field that may be meant", "[record]") {
  Json record = prediction();
  record["truncate"] = record["truncated"];
  record.erase("truncated");
  CHECK(problems_of("predictions-1.predictions", record) ==
        Texts{"f:1: `truncated` is missing",
              "f:1: `truncate` is not a field of this record; a similar one is `truncated`"});
}

TEST_CASE("what is wrong inside a nested record is shown with its path", "[record]") {
  const Json linear{{"out_features", 2}, {"in_features", 2},   {"num_bits", 9},
                    {"group_size", -1},  {"symmetric", false}, {"actorder", false}};
  const Json record{
      {"method", "rtn"}, {"num_bits", 3}, {"group_size", -1}, {"symmetric", false}, {"linears", {{"a.q", linear}}}};
  CHECK(problems_of("quantized-model-1.quantization", record) ==
        Texts{"f:1: `linears.a.q.num_bits` must be integer, at least 1, at most 8, found 9"});
}

TEST_CASE("the error types are exactly those of the two published taxonomies", "[record]") {
  const auto verdict = [](const Json& category, const Json& type) {
    return Json{{"item_id", "p1"},      {"judge", "j"},      {"first_error_step", 1},
                {"category", category}, {"type", type},      {"explanation", "so"},
                {"confidence", 0.9},    {"status", "error"}, {"call_ids", Json::array()}};
  };
  for (const char* type :
       {"conceptual_misunderstanding", "contextual_oversight", "procedural_error", "formula_rule_error",
        "computational_error", "symbolic_manipulation_error", "logical_reasoning_error", "misunderstanding_of_problem",
        "logical_error", "computation_error", "formula_misuse", "step_omission", "boundary_condition_error",
        "symbol_error"}) {
    CHECK(problems_of("verdicts-1.verdicts", verdict(nullptr, type)).empty());
  }
  CHECK(problems_of("verdicts-1.verdicts", verdict("executional", "computation_error")) ==
        Texts{"f:1: `category` must be conceptual, method, execution, reasoning or null, found \"executional\""});
}

TEST_CASE("two numbers that only mean something together come together", "[record]") {
  Json record = prediction();
  record["nll"] = 12.5;
  REQUIRE(problems_of("predictions-1.predictions", record).size() == 1);
  record["n_scored"] = 9;
  CHECK(problems_of("predictions-1.predictions", record).empty());
}

TEST_CASE("only the first problems are kept, all are counted", "[record]") {
  Problems problems;
  for (int i = 0; i < 12; ++i) problems.add("f:" + std::to_string(i), "bad");
  CHECK(problems.count() == 12);
  CHECK(problems.shown() == Texts{"f:0: bad", "f:1: bad", "f:2: bad", "f:3: bad", "f:4: bad"});
}

TEST_CASE("a long value is shown shortened, never cut inside a character", "[record]") {
  CHECK(exec::brief(Json(std::string(40, 'x'))) == "\"" + std::string(40, 'x') + "\"");
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += "\xC3\xA4";
  const std::string text = exec::brief(Json(umlauts));
  CHECK(text.ends_with("..."));
  CHECK(text.size() <= 60);
  CHECK(Json::accept("\"" + text.substr(1) + "\""));  // still UTF-8
}
