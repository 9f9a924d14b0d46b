#include <catch2/catch.hpp>

#include "artifact_files.h"

using namespace lowbit;
using exec::check_artifact;
using test::ArtifactFiles;
using test::prediction;
using test::verdict;

namespace {

Json item(const std::string& id) {
  return {{"item_id", id},      {"problem_id", id},        {"problem", "2 + 2?"},
          {"answer", "4"},      {"solution", nullptr},     {"steps", nullptr},
          {"choices", nullptr}, {"answer_index", nullptr}, {"fields", Json::object()}};
}

Json task(const std::string& kind, std::uint64_t n_items) {
  return {{"name", "sums"},        {"kind", kind},
          {"n_items", n_items},    {"prompt", {{"template", "{{problem}}"}, {"system", nullptr}, {"chat", false}}},
          {"stop", Json::array()}, {"response_format", "plain"},
          {"grader", "lowbit.v1"}};
}

Json grade(const std::string& id) {
  return {{"item_id", id},
          {"problem_id", id},
          {"correct", false},
          {"graded", false},
          {"source", "vote"},
          {"category", nullptr},
          {"type", "computation_error"},
          {"first_error_step", 1},
          {"decision_id", nullptr}};
}

Json pair(const std::string& id) {
  return {{"item_id", id},        {"problem_id", id},
          {"prompt", "2 + 2?"},   {"chosen", " 4"},
          {"rejected", " 5"},     {"category", nullptr},
          {"type", nullptr},      {"first_error_step", nullptr},
          {"agreement", nullptr}, {"at", {{"quantizer", "rtn"}, {"num_bits", 2}}}};
}

Json call(const std::string& id) {
  return {{"call_id", id},
          {"item_id", "p1"},
          {"judge", "a"},
          {"endpoint", "main"},
          {"model", "m-1"},
          {"model_served", "m-1-0613"},
          {"fingerprint", nullptr},
          {"request_sha", std::string(64, '1')},
          {"response_sha", std::string(64, '2')},
          {"attempt", 1},
          {"generation", 0},
          {"http_status", 200},
          {"outcome", "ok"},
          {"started_at", "2030-01-01T00:00:00Z"},
          {"seconds", 1.5},
          {"prompt_tokens", 100},
          {"completion_tokens", 20},
          {"reasoning_tokens", nullptr},
          {"cached_tokens", nullptr},
          {"cost_usd", 0.25}};
}

}  // namespace

TEST_CASE("predictions become item rows, in file order, without their id among the fields", "[artifact]") {
  ArtifactFiles files;
  Json wrong = prediction("p2");
  wrong["correct"] = false;
  Json open = prediction("p3");
  open["correct"] = nullptr;
  files.lines("predictions.jsonl", {prediction("p1"), wrong, open});
  const auto result = check_artifact("predictions/1", files.path());
  REQUIRE(result.ok());
  REQUIRE(result->items.size() == 3);
  CHECK(result->items[1].item_id == "p2");
  Json fields = wrong;
  fields.erase("item_id");
  CHECK(result->items[1].fields == fields);
  CHECK(result->summary == Json{{"items", 3}, {"graded", 2}, {"correct", 1}});
}

TEST_CASE("an item that is answered twice is refused", "[artifact]") {
  ArtifactFiles files;
  files.lines("predictions.jsonl", {prediction("p1"), prediction("p2"), prediction("p1")});
  CHECK(files.problems("predictions/1") == "predictions.jsonl:3: item_id \"p1\" was there before");
}

TEST_CASE("a JSON Lines file that was cut off is told from a complete one", "[artifact]") {
  ArtifactFiles files;
  files.text("predictions.jsonl", prediction("p1").dump() + "\n" + prediction("p2").dump());
  CHECK(files.problems("predictions/1") == "predictions.jsonl:2: the last line does not end: the file was cut off");
}

TEST_CASE("lines that are empty or not JSON are refused", "[artifact]") {
  ArtifactFiles files;
  files.text("predictions.jsonl", prediction("p1").dump() + "\n\n{\"item_id\": oops}\n");
  CHECK(files.problems("predictions/1") ==
        "predictions.jsonl:2: the line is empty\n"
        "predictions.jsonl:3: not JSON: parse error at line 1, column 13: syntax error while parsing value - invalid "
        "literal; last read: '\"item_id\": o'");
}

TEST_CASE("predictions without a line are refused, verdicts without a line are not", "[artifact]") {
  ArtifactFiles files;
  files.text("note.txt", "nothing to see");
  CHECK(files.problems("predictions/1") == "predictions.jsonl: is missing or cannot be read");
  files.text("predictions.jsonl", "");
  CHECK(files.problems("predictions/1") == "predictions.jsonl: has no lines; at least one is needed");
  files.text("verdicts.jsonl", "");
  CHECK(files.problems("verdicts/1") == "ok");
}

TEST_CASE("verdicts about nothing, and calls that were not made, are artifacts without a byte", "[artifact]") {
  ArtifactFiles files;
  files.text("verdicts.jsonl", "");
  CHECK(files.problems("verdicts/1") == "ok");
  CHECK(files.problems("api-calls/1") == "calls.jsonl: is missing or cannot be read");
  files.text("calls.jsonl", "");
  CHECK(files.problems("api-calls/1") == "ok");
  CHECK(files.problems("grades/1") == "the artifact: is missing or holds no bytes");
}

TEST_CASE("a verdict's type stands in its own category, a flat type in none", "[artifact]") {
  ArtifactFiles files;
  Json other = verdict("p1");
  other["category"] = "method";
  Json flat = verdict("p2");
  flat["type"] = "computation_error";
  Json category_only = verdict("p3");
  category_only["type"] = nullptr;
  files.lines("verdicts.jsonl", {verdict("p0"), other, flat, category_only});
  CHECK(files.problems("verdicts/1") ==
        "verdicts.jsonl:2: `category` must be execution for type computational_error, found \"method\"\n"
        "verdicts.jsonl:3: `category` must be null for type computation_error, found \"execution\"");
}

TEST_CASE("only a verdict with status error names an error", "[artifact]") {
  ArtifactFiles files;
  Json no_error = verdict("p1");
  no_error["status"] = "no_error";
  Json empty = verdict("p2");
  empty["type"] = nullptr;
  empty["category"] = nullptr;
  files.lines("verdicts.jsonl", {no_error, empty});
  CHECK(files.problems("verdicts/1") ==
        "verdicts.jsonl:1: `first_error_step`, `category` and `type` must be null with status no_error\n"
        "verdicts.jsonl:2: `type` or `category` must name the error with status error");
}

TEST_CASE("a judge has one verdict on an item; several judges may judge it", "[artifact]") {
  ArtifactFiles files;
  Json other_judge = verdict("p1");
  other_judge["judge"] = "vote";
  files.lines("verdicts.jsonl", {verdict("p1"), other_judge, verdict("p1")});
  CHECK(files.problems("verdicts/1") ==
        "verdicts.jsonl:3: the verdict of judge/item \"reference/p1\" was there before");
}

TEST_CASE("steps are counted from one", "[artifact]") {
  ArtifactFiles files;
  Json zero = verdict("p1");
  zero["first_error_step"] = 0;
  files.lines("verdicts.jsonl", {zero});
  CHECK(files.problems("verdicts/1") ==
        "verdicts.jsonl:1: `first_error_step` must be integer or null, at least 1, found 0");
}

TEST_CASE("a task holds as many items as it says, each id once", "[artifact]") {
  ArtifactFiles files;
  files.json("task.json", task("generate", 2));
  files.lines("items.jsonl", {item("p1"), item("p2")});
  CHECK(files.problems("task/1") == "ok");
  files.lines("items.jsonl", {item("p1"), item("p2"), item("p3")});
  CHECK(files.problems("task/1") == "task.json: `n_items` is 2, but items.jsonl has 3 lines");
  files.lines("items.jsonl", {item("p1"), item("p1")});
  CHECK(files.problems("task/1") == "items.jsonl:2: item_id \"p1\" was there before");
}

TEST_CASE("an item has what its kind of task needs", "[artifact]") {
  ArtifactFiles files;
  Json choices = item("p2");
  choices["choices"] = {"3", "4"};
  choices["answer_index"] = 2;
  files.json("task.json", task("choose", 2));
  files.lines("items.jsonl", {item("p1"), choices});
  CHECK(files.problems("task/1") ==
        "items.jsonl:1: `choices` and `answer_index` must not be null in a choose task\n"
        "items.jsonl:2: `answer_index` is 2, but there are 2 choices");
  files.json("task.json", task("likelihood", 1));
  files.lines("items.jsonl", {item("p1")});
  CHECK(files.problems("task/1") == "items.jsonl:1: `solution` must hold the text to score in a likelihood task");
  Json unanswered = item("p1");
  unanswered["answer"] = nullptr;
  files.json("task.json", task("generate", 1));
  files.lines("items.jsonl", {unanswered});
  CHECK(files.problems("task/1") == "items.jsonl:1: `answer` must not be null in a graded task");
}

TEST_CASE("chosen and rejected differ in more than white space", "[artifact]") {
  ArtifactFiles files;
  Json same = pair("p2");
  same["rejected"] = "4\n";
  files.lines("pairs.jsonl", {pair("p1"), same});
  CHECK(files.problems("preference-pairs/1") == "pairs.jsonl:2: `chosen` and `rejected` are the same text");
}

TEST_CASE("supervised pairs need a completion and an id of their own", "[artifact]") {
  ArtifactFiles files;
  const Json good{{"item_id", "p1"}, {"problem_id", "p1"}, {"prompt", ""}, {"completion", "4"}};
  Json empty = good;
  empty["completion"] = "";
  files.lines("pairs.jsonl", {good, good});
  CHECK(files.problems("sft-pairs/1") == "pairs.jsonl:2: item_id \"p1\" was there before");
  files.lines("pairs.jsonl", {empty});
  CHECK(files.problems("sft-pairs/1") ==
        "pairs.jsonl:1: `completion` must be string, of length at least 1, found \"\"");
}

TEST_CASE("a grade agrees with who decided it", "[artifact]") {
  ArtifactFiles files;
  Json human = grade("p2");
  human["source"] = "human";
  Json changed = grade("p3");
  changed["source"] = "prediction";
  changed["graded"] = true;
  Json right = grade("p4");
  right["correct"] = true;
  files.lines("grades.jsonl", {grade("p1"), human, changed, right});
  CHECK(files.problems("grades/1") ==
        "grades.jsonl:2: `decision_id` must be given for source human and null otherwise\n"
        "grades.jsonl:3: `correct` differs from `graded`, so `source` cannot be prediction\n"
        "grades.jsonl:4: `first_error_step`, `category` and `type` must be null for a correct answer");
}

TEST_CASE("calls are counted once and their cost is known only when every price is", "[artifact]") {
  ArtifactFiles files;
  Json unpriced = call("c2");
  unpriced["cost_usd"] = nullptr;
  files.lines("calls.jsonl", {call("c1"), call("c3")});
  const auto priced = check_artifact("api-calls/1", files.path());
  REQUIRE(priced.ok());
  CHECK(priced->summary == Json{{"calls", 2}, {"cost_usd", 0.5}});
  files.lines("calls.jsonl", {call("c1"), unpriced});
  CHECK(check_artifact("api-calls/1", files.path())->summary["cost_usd"].is_null());
  Json lost = call("c1");
  lost["response_sha"] = nullptr;
  files.lines("calls.jsonl", {call("c1"), lost});
  CHECK(files.problems("api-calls/1") ==
        "calls.jsonl:2: call_id \"c1\" was there before\n"
        "calls.jsonl:2: `response_sha` must not be null with outcome ok");
}

TEST_CASE("a report's outcome is its worst finding", "[artifact]") {
  ArtifactFiles files;
  const auto finding = [](const std::string& severity) {
    return Json{
        {"rule", "ngram_13"}, {"severity", severity}, {"subject", "train:p1"}, {"other", "test:p9"}, {"overlap", 0.6}};
  };
  Json report{{"kind", "contamination"},
              {"outcome", "warn"},
              {"counts", {{"compared", 20}}},
              {"findings", {finding("warn"), finding("fail"), finding("warn")}}};
  files.json("report.json", report);
  CHECK(files.problems("report/1") == "report.json: `outcome` must be fail with these findings, found \"warn\"");
  report["findings"] = {finding("warn"), finding("warn")};
  files.json("report.json", report);
  CHECK(files.problems("report/1") == "ok");
}

TEST_CASE("a rubric names a taxonomy that exists", "[artifact]") {
  ArtifactFiles files;
  Json rubric{{"name", "first-error 1"},
              {"taxonomy", "v2"},
              {"system", nullptr},
              {"template", "{{problem}} {{steps}}"},
              {"answer_schema", Json::object()}};
  files.json("rubric.json", rubric);
  CHECK(files.problems("rubric/1") == "ok");
  rubric["taxonomy"] = "v3";
  files.json("rubric.json", rubric);
  CHECK(files.problems("rubric/1") == "rubric.json: `taxonomy` must be v1 or v2, found \"v3\"");
}

namespace {

Json queued(char id) {
  return {{"item_id", "i"},         {"problem_id", "p"},   {"case", std::string(64, id)},
          {"reason", "audit"},      {"audited", true},     {"problem", "2 + 2?"},
          {"answer", "4"},          {"solution", nullptr}, {"reference_steps", nullptr},
          {"steps", {"2 + 2 = 5"}}, {"text", "5"},         {"extracted", nullptr}};
}

Json review(std::uint64_t n_queued, std::uint64_t n_audited) {
  return {{"task", "sums"},       {"taxonomy", "v2"},       {"n_judged", 7},
          {"n_queued", n_queued}, {"n_audited", n_audited}, {"audit_population", "judged"}};
}

Json decided(char id) {
  return {{"case", std::string(64, id)},   {"decision_id", "d"},   {"status", "error"}, {"category", "execution"},
          {"type", "computational_error"}, {"first_error_step", 1}};
}

}  // namespace

TEST_CASE("a review queue counts its cases", "[artifact]") {
  ArtifactFiles files;
  files.json("review.json", review(2, 2));
  files.lines("queue.jsonl", {queued('a'), queued('b')});
  CHECK(files.problems("review-queue/1") == "ok");
  files.json("review.json", review(3, 2));
  CHECK(files.problems("review-queue/1") == "review.json: `n_queued` is 3, but queue.jsonl has 2");
  files.json("review.json", review(2, 2));
  files.lines("queue.jsonl", {queued('a'), queued('a')});
  CHECK_THAT(files.problems("review-queue/1"), Catch::StartsWith("queue.jsonl:2: case "));
}

TEST_CASE("decisions name an error, or none", "[artifact]") {
  ArtifactFiles files;
  files.lines("decisions.jsonl", {decided('a'), decided('b')});
  CHECK(files.problems("decisions/1") == "ok");
  files.lines("decisions.jsonl", {});
  CHECK(files.problems("decisions/1") == "ok");
  Json cleared = decided('a');
  cleared["status"] = "no_error";
  Json unnamed = decided('b');
  unnamed["category"] = unnamed["type"] = nullptr;
  Json misplaced = decided('c');
  misplaced["category"] = "method";
  files.lines("decisions.jsonl", {cleared, unnamed, misplaced});
  CHECK(files.problems("decisions/1") ==
        "decisions.jsonl:1: `first_error_step`, `category` and `type` must be null with status no_error\n"
        "decisions.jsonl:2: `type` or `category` must name the error with status error\n"
        "decisions.jsonl:3: `category` must be execution for type computational_error, found \"method\"");
}
