#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

struct Answer {
  std::string item, text;
  Json extracted = nullptr;
};

/// A task of two items: `half` with the answer 1/2 and `seven` with 7.
struct Grading {
  Grading() {
    tasks::Task task{.name = "t", .system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = {}};
    for (const auto& [id, answer] : {std::pair{"half", "\\frac{1}{2}"}, std::pair{"seven", "7"}}) {
      task.items.push_back({.item_id = id,
                            .problem_id = std::string("p-") + id,
                            .problem = id,
                            .answer = answer,
                            .solution = {},
                            .steps = {}});
    }
    tasks::write_task(stage.input("task"), task);
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
  }

  void bind(const std::vector<Answer>& answers) {
    JsonLinesWriter out(stage.input("predictions") / "predictions.jsonl");
    for (const Answer& answer : answers) {
      out.write({{"item_id", answer.item},
                 {"problem_id", "p-" + answer.item.substr(0, answer.item.find('#'))},
                 {"prompt_sha", std::string(64, 'a')},
                 {"text", answer.text},
                 {"steps", Json::array()},
                 {"extracted", answer.extracted},
                 {"correct", nullptr},
                 {"n_tokens", 1},
                 {"truncated", false}});
    }
    out.close();
    stage.host.bind("predictions", {.path = stage.input("predictions").string(), .type = "predictions/1"});
  }
  /// "extracted correct" of each row.
  [[nodiscard]] std::vector<std::string> grades() const {
    std::vector<std::string> all;
    for (const Json& row : stage.lines("predictions/predictions.jsonl"))
      all.push_back(row["extracted"].dump() + " " + row["correct"].dump());
    return all;
  }

  test::StageFixture stage{"lowbit.grade"};
};

}  // namespace

TEST_CASE("stored answers are graded by the named rules, the rest of their rows stays", "[grades]") {
  Grading g;
  g.stage.host.params["grader"] = "math-verify";
  g.bind({{"half", "so it is $0.5$."}, {"seven", "I do not know."}});
  REQUIRE(g.stage.run() == LB_OK);
  CHECK(g.grades() == std::vector<std::string>{"\"0.5\" true", "null false"});
  CHECK(g.stage.metric("t/accuracy").value == 0.5);
  CHECK(g.stage.metric("t/accuracy").count == 2);
  CHECK(g.stage.metric("t/n_correct").value == 1);
  CHECK(g.stage.metric("t/n_total").value == 2);
  CHECK(g.stage.metric("t/extracted").value == 0.5);
  const Json row = g.stage.lines("predictions/predictions.jsonl")[0];
  CHECK(row["text"] == "so it is $0.5$.");
  CHECK(row["prompt_sha"] == std::string(64, 'a'));
}

TEST_CASE("graders differ, and the default takes the answer that was extracted before", "[grades]") {
  const auto accuracy = [](const Json& grader) {
    Grading g;
    if (!grader.is_null()) g.stage.host.params["grader"] = grader;
    g.bind({{"half", "\\boxed{5 \\times 10^{-1}}", "0.5"}, {"seven", "\\boxed{7}", "8"}});
    REQUIRE(g.stage.run() == LB_OK);
    return g.stage.metric("t/accuracy").value;
  };
  CHECK(accuracy("math-verify") == 1);
  CHECK(accuracy("hendrycks-math") == 0.5);
  CHECK(accuracy("gsm8k-strict") == 0);
  CHECK(accuracy(nullptr) == 0.5);
}

TEST_CASE("votes and chances of several samples", "[grades]") {
  Grading g;
  g.stage.host.params["grader"] = "math-verify";
  g.stage.host.params["samples"] = 2;
  g.bind({{"half", "$0.5$"},
          {"half#1", "$1/2$"},
          {"half#2", "$3$"},
          {"seven", "$7$"},
          {"seven#1", "$6$"},
          {"seven#2", "$5$"}});
  REQUIRE(g.stage.run() == LB_OK);
  // half: 2 of 3 right; draws of 2: both right, twice one right (a tie). seven: 1 of 3 right, ties with it in 2 of 3.
  CHECK(g.stage.metric("t/pass@2").value == Approx((1 + 2.0 / 3) / 2));
  CHECK(g.stage.metric("t/maj@2").value == Approx((2.0 / 3 + 1.0 / 3) / 2));
  CHECK(g.stage.metric("t/pass@2").count == 2);
}

TEST_CASE("what cannot be graded is named", "[grades]") {
  Grading strange;
  strange.bind({{"other", "7"}});
  CHECK(strange.stage.run() == LB_BAD_INPUT);
  CHECK(strange.stage.error().find("task t has no item other") != std::string::npos);
  Grading few;
  few.stage.host.params["samples"] = 2;
  few.bind({{"half", "1"}, {"seven", "7"}});
  CHECK(few.stage.run() == LB_BAD_INPUT);
  CHECK(few.stage.error().find("it has 1 samples") != std::string::npos);
}
