#include <algorithm>
#include <cmath>

#include "support/stage_fixture.h"
#include "verdicts/verdict.h"

using namespace lowbit;
using verdicts::Finding;
using verdicts::Status;

namespace {

struct Item {
  std::string id;
  nlohmann::json correct;
  std::optional<Finding> vote;
};
Finding with_status(Status status) { return {.status = status, .first_error_step = {}, .category = {}, .type = {}}; }

struct Grading {
  test::StageFixture stage{"lowbit.effective-grades"};

  explicit Grading(const std::vector<Item>& items) {
    JsonLinesWriter predictions(stage.input("predictions") / "predictions.jsonl");
    JsonLinesWriter votes(stage.input("vote") / "verdicts.jsonl");
    for (const Item& item : items) {
      predictions.write({{"item_id", item.id},
                         {"problem_id", "p-" + item.id},
                         {"prompt_sha", ""},
                         {"text", ""},
                         {"steps", {"one", "two"}},
                         {"extracted", nullptr},
                         {"correct", item.correct}});
      if (item.vote) votes.write(verdicts::json_of(*item.vote, item.id, "vote"));
    }
    predictions.close();
    votes.close();
    stage.host.bind("predictions", {.path = stage.input("predictions").string(), .type = "predictions/1"});
    stage.host.bind("vote", {.path = stage.input("vote").string(), .type = "verdicts/1"});
  }
};

const auto kError = verdicts::error_of_type("computational_error", 2, "");

}  // namespace

TEST_CASE("the answer decides what is right and the vote what went wrong", "[grades]") {
  const bool acquit = GENERATE(false, true);
  Grading g({{"right", true, with_status(Status::no_error)},
             {"right-anyway", true, kError},
             {"wrong", false, kError},
             {"open", false, with_status(Status::conflict)},
             {"acquitted", false, with_status(Status::no_error)},
             {"unjudged", false, std::nullopt},
             {"ungraded", nullptr, with_status(Status::no_error)}});
  g.stage.host.params = {{"acquit", acquit}};
  REQUIRE(g.stage.run() == LB_OK);
  const auto rows = g.stage.lines("grades/grades.jsonl");
  REQUIRE(rows.size() == 7);
  CHECK(rows[0]["correct"] == true);
  CHECK(rows[1] == nlohmann::json::parse(R"({"item_id": "right-anyway", "problem_id": "p-right-anyway", "correct": true,
    "graded": true, "source": "prediction", "category": null, "type": null, "first_error_step": null,
    "decision_id": null})"));
  CHECK(rows[2] == nlohmann::json::parse(R"({"item_id": "wrong", "problem_id": "p-wrong", "correct": false,
    "graded": false, "source": "vote", "category": "execution", "type": "computational_error", "first_error_step": 2,
    "decision_id": null})"));
  CHECK(rows[3]["source"] == "prediction");
  CHECK(rows[3]["type"].is_null());
  CHECK(rows[4]["correct"] == acquit);
  CHECK(rows[4]["source"] == (acquit ? "vote" : "prediction"));
  CHECK(rows[5]["source"] == "prediction");
  CHECK(rows[6]["correct"].is_null());
  CHECK(g.stage.metric("data/changed_grades").value == (acquit ? 1 : 0));
  const auto execution = g.stage.metric("first_errors/execution");
  CHECK(execution.value == Approx(1.0 / 7));
  CHECK(execution.count == 7);
  CHECK(execution.std_error == Approx(std::sqrt(6.0 / 343)));
  CHECK(g.stage.metric("first_errors/conceptual").value == 0);
  CHECK(g.stage.metric("first_errors/none").value == Approx((acquit ? 3.0 : 2.0) / 7));
  CHECK(g.stage.metric("first_errors/unnamed").value == Approx((acquit ? 3.0 : 4.0) / 7));
}

TEST_CASE("what a person decided of a wrong answer counts more than the vote", "[grades]") {
  Grading g({{"named", false, with_status(Status::conflict)},
             {"freed", false, kError},
             {"unclear", false, kError},
             {"right", true, kError},
             {"voted", false, kError}});
  const auto case_of = [](const std::string& id) {
    return verdicts::case_of({.item_id = id, .problem_id = "p", .prompt_sha = "", .text = "", .steps = {}});
  };
  JsonLinesWriter out(g.stage.input("decisions") / "decisions.jsonl");
  const auto decide = [&](const std::string& id, const std::string& status, const nlohmann::json& step) {
    const bool error = status == "error";
    out.write({{"case", case_of(id)},
               {"decision_id", "d-" + id},
               {"status", status},
               {"category", error ? nlohmann::json("method") : nlohmann::json()},
               {"type", error ? nlohmann::json("procedural_error") : nlohmann::json()},
               {"first_error_step", step}});
  };
  decide("named", "error", 1);
  decide("freed", "no_error", nullptr);
  decide("unclear", "undetermined", nullptr);
  decide("right", "error", 2);  // the answer decides what is right
  decide("gone", "error", 9);   // of a model that is no longer asked
  out.close();
  g.stage.host.bind("decisions", {.path = g.stage.input("decisions").string(), .type = "decisions/1"});
  REQUIRE(g.stage.run() == LB_OK);
  const auto rows = g.stage.lines("grades/grades.jsonl");
  CHECK(rows[0] == nlohmann::json::parse(R"({"item_id": "named", "problem_id": "p-named", "correct": false,
    "graded": false, "source": "human", "category": "method", "type": "procedural_error", "first_error_step": 1,
    "decision_id": "d-named"})"));
  CHECK(rows[1]["correct"] == true);
  CHECK(rows[1]["graded"] == false);
  CHECK(rows[1]["decision_id"] == "d-freed");
  CHECK(rows[2]["source"] == "human");
  CHECK(rows[2]["type"].is_null());
  CHECK(rows[3]["source"] == "prediction");
  CHECK(rows[3]["decision_id"].is_null());
  CHECK(rows[4]["source"] == "vote");
  CHECK(g.stage.metric("data/human_decisions").value == 3);
  CHECK(g.stage.metric("data/changed_grades").value == 1);
  CHECK(g.stage.metric("first_errors/none").value == Approx(2.0 / 5));
  CHECK(g.stage.metric("first_errors/unnamed").value == Approx(1.0 / 5));
}

TEST_CASE("errors of the flat taxonomy are counted by its types", "[grades]") {
  Grading g({{"a", false, verdicts::error_of_type("step_omission", 1, "")}, {"b", true, std::nullopt}});
  REQUIRE(g.stage.run() == LB_OK);
  CHECK(g.stage.metric("first_errors/step_omission").value == Approx(0.5));
  CHECK(g.stage.metric("first_errors/symbol_error").value == 0);
  const auto& metrics = g.stage.host.metrics;
  CHECK(std::none_of(metrics.begin(), metrics.end(),
                     [](const auto& metric) { return metric.name == "first_errors/conceptual"; }));
}

TEST_CASE("errors of two taxonomies are refused", "[grades]") {
  Grading g({{"a", false, verdicts::error_of_type("step_omission", 1, "")}, {"b", false, kError}});
  CHECK(g.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(g.stage.error(), Catch::StartsWith("errors of two taxonomies\n"));
}

TEST_CASE("decisions that say nothing are refused", "[grades]") {
  const auto [field, value] =
      GENERATE(std::pair("status", nlohmann::json("no error")), std::pair("type", nlohmann::json("nonsense")),
               std::pair("category", nlohmann::json("execution")), std::pair("first_error_step", nlohmann::json(0)));
  Grading g({{"a", false, kError}});
  nlohmann::json row{{"case", "c"},          {"decision_id", "d"},         {"status", "error"},
                     {"category", "method"}, {"type", "procedural_error"}, {"first_error_step", 1}};
  row[field] = value;
  JsonLinesWriter out(g.stage.input("decisions") / "decisions.jsonl");
  out.write(row);
  out.close();
  g.stage.host.bind("decisions", {.path = g.stage.input("decisions").string(), .type = "decisions/1"});
  CHECK(g.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(g.stage.error(), Catch::StartsWith("a decision cannot be read\ndecisions.jsonl, decision d\n"));
}

TEST_CASE("a decision on a step that is not there is refused", "[grades]") {
  Grading g({{"a", false, kError}});
  JsonLinesWriter out(g.stage.input("decisions") / "decisions.jsonl");
  const auto id = verdicts::case_of({.item_id = "a", .problem_id = "p", .prompt_sha = "", .text = "", .steps = {}});
  out.write({{"case", id},
             {"decision_id", "d"},
             {"status", "error"},
             {"category", "method"},
             {"type", "procedural_error"},
             {"first_error_step", 3}});
  out.close();
  g.stage.host.bind("decisions", {.path = g.stage.input("decisions").string(), .type = "decisions/1"});
  CHECK(g.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(g.stage.error(), Catch::Contains("it names step 3 of 2"));
}

TEST_CASE("a vote that does not fit the predictions is refused", "[grades]") {
  Grading beyond({{"a", false, verdicts::error_of_type("computational_error", 3, "")}});
  CHECK(beyond.stage.run() == LB_BAD_INPUT);
  CHECK(beyond.stage.error() ==
        "the vote does not fit the predictions\nverdict of vote on item a\nit names step 3 of 2\n"
        "bind `vote` to a vote on these predictions");
  Grading twice({{"a", false, kError}});
  JsonLinesWriter out(twice.stage.input("vote") / "verdicts.jsonl");
  out.write(verdicts::json_of(kError, "a", "ann"));
  out.write(verdicts::json_of(kError, "a", "bob"));
  out.close();
  CHECK(twice.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(twice.stage.error(), Catch::Contains("run lowbit.majority-vote over several"));
}
