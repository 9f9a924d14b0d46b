#include "reference_judge.h"

#include <map>

#include "answers/response.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"
#include "tinymath/generator.h"
#include "tinymath/injection.h"
#include "tinymath/wording.h"

using namespace lowbit;
using verdicts::Status;
using Steps = std::vector<std::string>;

namespace {

struct Case {
  std::string problem;
  Steps reference;
  std::string answer;

  [[nodiscard]] verdicts::Finding judge(const Steps& steps, const std::optional<std::string>& extracted) const {
    const auto read = judge::Reference::read(problem, reference, answer);
    REQUIRE(read);
    return judge::judge(*read, steps, extracted);
  }
  /// "step type" of an error, else the status.
  [[nodiscard]] std::string operator()(const Steps& steps, const std::optional<std::string>& extracted) const {
    const auto finding = judge(steps, extracted);
    INFO(finding.explanation);
    CHECK_FALSE(finding.explanation.empty());
    if (finding.status != Status::error) return std::string(name_of(finding.status));
    return std::to_string(*finding.first_error_step) + " " + finding.type.value_or(*finding.category + " (any)");
  }
};

const Case kBoxes{"tom has 12 apples . he buys 3 boxes with 7 apples each . then he gives 5 apples to ben . how many ?",
                  {"3 * 7 = 21", "12 + 21 = 33", "33 - 5 = 28"},
                  "28"};
const Case kJourney{"a car goes 40 miles each hour for 3 hours and then 50 miles each hour for 2 hours . in all ?",
                    {"40 * 3 = 120", "50 * 2 = 100", "120 + 100 = 220"},
                    "220"};
const Case kLinear{"solve 3 x + 4 = 52", {"3 x = 52 - 4 = 48", "x = 48 / 3 = 16"}, "16"};
const Case kTwoSided{"solve 5 x + 4 = 2 x + 52", {"5 - 2 = 3", "3 x = 52 - 4 = 48", "x = 48 / 3 = 16"}, "16"};

}  // namespace

TEST_CASE("right solutions in any order, merged, in other words or with detours have no error", "[judge]") {
  CHECK(kBoxes(kBoxes.reference, "28") == "no_error");
  CHECK(kBoxes({"12 - 5 = 7", "7 * 3 = 21", "21 + 7 = 28"}, "28") == "no_error");
  CHECK(kBoxes({"12 + 3 * 7 = 33", "33 - 5 = 28"}, "28") == "no_error");
  CHECK(kBoxes({"12 + 3 * 7 - 5 = 28"}, "28.0") == "no_error");
  CHECK(kBoxes({"Tom buys 3 times 7 is 21 apples.", "Adding 21 to 12 gives 33", "Now 33 - 5 = 28", "So: 28."}, "28") ==
        "no_error");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 7 = 19", "12 + 21 = 33", "33 - 5 = 28"}, "28") == "no_error");
  CHECK(kLinear({"3 x + 4 - 4 = 52 - 4", "3 x = 48", "x = 16"}, "16") == "no_error");
  CHECK(kLinear({"x = ( 52 - 4 ) / 3 = 16"}, "16") == "no_error");
  CHECK(kTwoSided({"5 x - 2 x = 52 - 4", "3 x = 48", "x = 48 / 3 = 16"}, "16") == "no_error");
}

TEST_CASE("wrong solutions are classified by what single change would mend them", "[judge]") {
  CHECK(kBoxes({"3 * 7 = 24", "12 + 24 = 36", "36 - 5 = 31"}, "31") == "1 computational_error");
  CHECK(kBoxes({"12 - 5 = 7", "3 * 7 = 21", "21 + 7 = 29"}, "29") == "3 computational_error");
  CHECK(kBoxes({"3 + 7 = 10", "12 + 10 = 22", "22 - 5 = 17"}, "17") == "1 formula_rule_error");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33", "33 + 5 = 38"}, "38") == "3 formula_rule_error");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33", "33 - 7 = 26"}, "26") == "3 contextual_oversight");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33", "33 - 5 = 28"}, "30") == "3 logical_reasoning_error");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33", "33 - 5 = 28", "So 30 are left."}, "30") == "4 logical_reasoning_error");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33", "33 - 5 = 28", "28 + 12 = 40"}, "40") == "4 conceptual_misunderstanding");
  CHECK(kJourney({"40 * 3 = 120", "50 * 2 = 100", "120 - 100 = 20"}, "20") == "3 conceptual_misunderstanding");
  CHECK(kLinear({"3 x = 52 + 4 = 56", "x = 56 / 3"}, "18") == "1 symbolic_manipulation_error");
  CHECK(kLinear({"3 y = 52 - 4 = 48", "y = 48 / 3 = 16"}, "16") == "1 symbolic_manipulation_error");
  CHECK(kLinear({"3 x = 52 - 4 = 48", "x = 48 * 3 = 144"}, "144") == "2 formula_rule_error");
  CHECK(kLinear({"3 x = 52 - 4 = 46", "x = 46 / 3 = 15"}, "15") == "1 computational_error");
  CHECK(kLinear({"3 x = 52 - 4 = 48"}, "48") == "1 procedural_error");
  CHECK(kTwoSided({"5 + 2 = 7", "7 x = 52 - 4 = 48", "x = 48 / 7"}, "7") == "1 symbolic_manipulation_error");
}

TEST_CASE("in doubt the judge says so", "[judge]") {
  CHECK(kBoxes({}, "28") == "undetermined");
  CHECK(kBoxes({""}, std::nullopt) == "undetermined");
  CHECK(kBoxes({"bananas", "= = 12 ="}, "7") == "undetermined");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33", "33 - 5 = 28"}, std::nullopt) == "undetermined");
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33"}, "33") == "undetermined");  // early end, or another question?
  CHECK(kBoxes({"3 * 7 = 21", "12 + 21 = 33", "33 - 5 = 28"}, "33") == "undetermined");
  CHECK(kBoxes({"3 + 7 = 11", "12 + 11 = 23"}, "23") == "undetermined");     // two errors in one step
  CHECK(kBoxes({"3 * 7 = 21 + 12 = 33 - 5 = 28"}, "28") == "undetermined");  // a run of false equalities
  CHECK(kBoxes({"9 * 9 = 81", "81 - 1 = 80"}, "80") == "undetermined");
  CHECK(kBoxes({"3 * 7 = 21", "12 + + 21 = 33", "33 - 5 = 1"}, "1") == "undetermined");
  CHECK(kBoxes({"5 / 0 = 3"}, "3") == "undetermined");
  CHECK(kBoxes(Steps(5000, "3 * 7 = 21"), "21") == "undetermined");
  // What comes before something unreadable is judged all the same.
  CHECK(kBoxes({"3 * 7 = 24", "12 + + 24 = 36"}, "36") == "1 computational_error");
}

TEST_CASE("a reference that is no chain of equations to its answer is refused", "[judge]") {
  CHECK_FALSE(judge::Reference::read("p", {}, "3"));
  CHECK_FALSE(judge::Reference::read("p", {"think"}, "3"));
  CHECK_FALSE(judge::Reference::read("p 1 2", {"1 + 2 = 4"}, "4"));
  CHECK_FALSE(judge::Reference::read("p 1 2", {"1 + 2 = 3"}, "4"));
  CHECK_FALSE(judge::Reference::read("p 1 2", {"1 + 2 = 3"}, "three"));
}

TEST_CASE("every explanation names the step and the reason", "[judge]") {
  CHECK(kBoxes.judge({"3 * 7 = 24", "12 + 24 = 36"}, "36").explanation ==
        "step 1 computes the right thing, but 3 * 7 is 21, not 24");
  CHECK(kBoxes.judge({"3 * 7 = 21", "12 + 21 = 33", "33 - 7 = 26"}, "26").explanation ==
        "step 3 takes 7 where the problem's 5 is needed");
}

TEST_CASE("on injected errors the judge names at least 97 % of the types, and accuses no right solution", "[judge]") {
  // Measured: 99.6 % of 2,100 (docs/judging.md). 97 % is below that by more than chance moves 700 items: with a true
  // share of 0.99 fewer than 679 of 700 have a probability below 10^-4.
  tinymath::Generator generator({.split = tinymath::Split::test, .seed = 77});
  tinymath::Draw draw(77);
  std::map<std::size_t, std::size_t> n_of;
  std::size_t right_types = 0;
  std::size_t right_steps = 0;
  std::size_t n = 0;
  constexpr std::size_t kOfEach = 100;
  while (n < kOfEach * tinymath::kOperators) {
    const auto problem = generator.next();
    REQUIRE(problem);
    const auto text = reworded(problem->text, draw);
    REQUIRE(text);
    Steps steps;
    for (const auto& step : problem->steps) steps.push_back(step.text());
    const Case reworded{*text, steps, std::to_string(problem->answer())};
    const int style = draw.between(0, tinymath::kWordings - 1);
    REQUIRE(reworded(worded_solution(problem->steps, problem->answer(), style), reworded.answer) == "no_error");
    for (std::size_t i = 0; i < tinymath::kOperators; ++i) {
      const auto found = corruptions(*problem, static_cast<tinymath::Operator>(i));
      if (found.empty() || n_of[i] == kOfEach) continue;
      const auto& c = found[static_cast<std::size_t>(draw.between(0, static_cast<int>(found.size()) - 1))];
      const auto finding = reworded.judge(worded_solution(c.steps, c.answer(), style), std::to_string(c.answer()));
      INFO(*text << "\n" << finding.explanation);
      CHECK(finding.status != Status::no_error);
      right_types += finding.type == tinymath::kErrorTypes[i] ? 1U : 0U;
      right_steps += finding.first_error_step == c.step + 1 ? 1U : 0U;
      ++n_of[i];
      ++n;
    }
  }
  CHECK(right_types >= n * 97 / 100);
  CHECK(right_steps >= n * 97 / 100);
}

namespace {

struct Judging {
  test::StageFixture stage{"lowbit.reference-judge"};

  Judging() {
    tasks::Task task{.name = "t", .system = {}, .stop = {}, .response_format = {}, .grader = "lowbit.v1", .items = {}};
    task.items.push_back({.item_id = "i",
                          .problem_id = "p",
                          .problem = kBoxes.problem,
                          .answer = kBoxes.answer,
                          .solution = {},
                          .steps = kBoxes.reference});
    task.items.push_back(
        {.item_id = "bare", .problem_id = "q", .problem = "2 + 2 ?", .answer = "4", .solution = {}, .steps = {}});
    write_task(stage.input("task"), task);
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
  }
  void predict(const std::vector<std::pair<std::string, std::string>>& texts, answers::Format format) {
    JsonLinesWriter out(stage.input("predictions") / "predictions.jsonl");
    for (const auto& [id, text] : texts) {
      const auto read = answers::read_response(text, format);
      out.write({{"item_id", id},
                 {"problem_id", "p"},
                 {"prompt_sha", std::string(64, '0')},
                 {"text", text},
                 {"steps", read.steps},
                 {"extracted", read.answer ? nlohmann::json(*read.answer) : nlohmann::json()},
                 {"correct", false},
                 {"n_tokens", 1},
                 {"truncated", false}});
    }
    out.close();
    stage.host.bind("predictions", {.path = stage.input("predictions").string(), .type = "predictions/1"});
  }
};

}  // namespace

TEST_CASE("plain and tagged predictions are judged alike, samples by their item", "[judge]") {
  const auto format = GENERATE(answers::Format::plain, answers::Format::tagged);
  Judging j;
  const Steps wrong{"3 * 7 = 24", "12 + 24 = 36", "36 - 5 = 31"};
  j.predict({{"i", answers::render(wrong, "31", format)},
             {"i#2", answers::render(kBoxes.reference, "28", format)},
             {"bare", answers::render({"2 + 2 = 4"}, "4", format)},
             {"i#3", ""},
             {"i#4", "\xF0\x9F\x98\x80 <|step_start|> } \\boxed{"}},
            format);
  REQUIRE(j.stage.run() == LB_OK);
  const auto rows = j.stage.lines("verdicts/verdicts.jsonl");
  REQUIRE(rows.size() == 5);
  CHECK(rows[0] == nlohmann::json::parse(R"({"item_id": "i", "judge": "reference", "status": "error",
    "first_error_step": 1, "category": "execution", "type": "computational_error", "confidence": null, "call_ids": [],
    "explanation": "step 1 computes the right thing, but 3 * 7 is 21, not 24"})"));
  CHECK(rows[1]["status"] == "no_error");
  CHECK(rows[2]["status"] == "undetermined");
  CHECK(rows[3]["status"] == "undetermined");
  CHECK(rows[4]["status"] == "undetermined");
  CHECK(j.stage.metric("judge/undetermined").value == Approx(0.6));
  CHECK(j.stage.metric("judge/n_items").value == 5);
}

TEST_CASE("predictions on another task are refused", "[judge]") {
  Judging j;
  j.predict({{"stranger", "3 * 7 = 21"}}, answers::Format::plain);
  CHECK(j.stage.run() == LB_BAD_INPUT);
  CHECK(j.stage.error() ==
        "the predictions are not about this task\npredictions.jsonl, item stranger\ntask t has no such item\n"
        "bind `task` to the task that was answered");
}
