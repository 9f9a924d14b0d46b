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
