#include "lm/digest.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

struct Answer {
  std::string item, text;
  Json correct;
  bool truncated = false;
};

/// A task of three items, a, b and c, with the prompts "Q a\n" and so on.
struct Pairs {
  Pairs() {
    tasks::Task task{.name = "t",
                     .prompt_template = "Q {{problem}}\n",
                     .system = {},
                     .stop = {},
                     .response_format = {},
                     .grader = {},
                     .items = {}};
    for (const char* id : {"a", "b", "c"}) {
      task.items.push_back({.item_id = id,
                            .problem_id = std::string("p") + id,
                            .problem = id,
                            .answer = "1",
                            .solution = {},
                            .steps = {}});
    }
    tasks::write_task(stage.input("task"), task);
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
  }

  void bind(const std::string& port, const std::vector<Answer>& answers, const Json& coordinates = Json::object(),
            const std::string& question = "Q ") {
    const auto directory = stage.input("member" + std::to_string(n_members_++));
    JsonLinesWriter out(directory / "predictions.jsonl");
    for (const Answer& answer : answers) {
      out.write({{"item_id", answer.item},
                 {"problem_id", "p" + answer.item},
                 {"prompt_sha", lm::sha256_of_text(question + answer.item + "\n")},
                 {"text", answer.text},
                 {"steps", Json::array()},
                 {"extracted", nullptr},
                 {"correct", answer.correct},
                 {"n_tokens", 1},
                 {"truncated", answer.truncated}});
    }
    out.close();
    stage.host.bind(port, {.path = directory.string(),
                           .type = "predictions/1",
                           .digest = std::string(64, '0'),
                           .coordinates = coordinates.dump()});
  }
  /// "item_id prompt|chosen|rejected" of each pair.
  [[nodiscard]] std::vector<std::string> pairs() const {
    std::vector<std::string> all;
    for (const Json& pair : stage.lines("pairs/pairs.jsonl")) {
      all.push_back(pair["item_id"].get<std::string>() + " " + pair["prompt"].get<std::string>() + "|" +
                    pair["chosen"].get<std::string>() + "|" + pair["rejected"].get<std::string>());
    }
    return all;
  }

  test::StageFixture stage{"lowbit.preference-pairs"};

 private:
  int n_members_ = 0;
};

}  // namespace

TEST_CASE("an item is a pair when the chosen side is right and the rejected side wrong", "[pairs]") {
  Pairs p;
  p.bind("chosen", {{"a", "good", true}, {"b", "good", true}, {"c", "bad", false}});
  p.bind("rejected", {{"a", "wrong", false}, {"b", "fine", true}, {"c", "wrong", false}}, {{"bits", 2}});
  REQUIRE(p.stage.run() == LB_OK);
  CHECK(p.pairs() == std::vector<std::string>{"a Q a\n|good<eos>|wrong<eos>"});
  const Json pair = p.stage.lines("pairs/pairs.jsonl")[0];
  CHECK(pair["problem_id"] == "pa");
  CHECK(pair["at"] == Json({{"bits", 2}}));
  for (const char* key : {"category", "type", "first_error_step", "agreement"}) CHECK(pair[key].is_null());
  CHECK(p.stage.metric("data/n_items").value == 1);
  CHECK(p.stage.metric("data/dropped/rejected_right").value == 1);
  CHECK(p.stage.metric("data/dropped/chosen_wrong").value == 1);
}

TEST_CASE("an answer that was cut has no end token and is never chosen", "[pairs]") {
  Pairs p;
  p.bind("chosen", {{"a", "good", true, true}, {"b", "good", true}});
  p.bind("rejected", {{"a", "wrong", false}, {"b", "3 + 3 + 3 +", false, true}});
  REQUIRE(p.stage.run() == LB_OK);
  CHECK(p.pairs() == std::vector<std::string>{"b Q b\n|good<eos>|3 + 3 + 3 +"});
}

TEST_CASE("members meet where their common axes agree, and equal pairs are kept once", "[pairs]") {
  Pairs p;
  p.bind("chosen", {{"a", "good 0", true}}, {{"seed", 0}});
  p.bind("chosen", {{"a", "good 1", true}}, {{"seed", 1}});
  p.bind("rejected", {{"a", "wrong", false}}, {{"seed", 0}, {"bits", 2}});
  p.bind("rejected", {{"a", "wrong", false}}, {{"seed", 0}, {"bits", 3}});
  p.bind("rejected", {{"a", "wrong", false}}, {{"seed", 1}, {"bits", 2}});
  REQUIRE(p.stage.run() == LB_OK);
  CHECK(p.pairs() == std::vector<std::string>{"a Q a\n|good 0<eos>|wrong<eos>", "a#1 Q a\n|good 1<eos>|wrong<eos>"});
  CHECK(p.stage.metric("data/dropped/duplicate").value == 1);
}

TEST_CASE("no more pairs are kept than asked for, in the order of the task", "[pairs]") {
  Pairs p;
  p.stage.host.params["n"] = 2;
  p.bind("chosen", {{"c", "good", true}, {"a", "good", true}, {"b", "good", true}});
  p.bind("rejected", {{"b", "wrong", false}, {"c", "wrong", false}, {"a", "wrong", false}});
  REQUIRE(p.stage.run() == LB_OK);
  CHECK(p.pairs() == std::vector<std::string>{"a Q a\n|good<eos>|wrong<eos>", "b Q b\n|good<eos>|wrong<eos>"});
}

TEST_CASE("predictions on other items or other prompts are refused", "[pairs]") {
  Pairs p;
  p.bind("chosen", {{"a", "good", true}});
  const bool other_item = GENERATE(true, false);
  if (other_item) {
    p.bind("rejected", {{"z", "wrong", false}});
  } else {
    p.bind("rejected", {{"a", "wrong", false}}, Json::object(), "Please: ");
  }
  CHECK(p.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(
      p.stage.error(),
      Catch::StartsWith("the predictions are not about this task\n") && Catch::Contains("predictions.jsonl:1") &&
          Catch::Contains(other_item ? "the task has no item z" : "the model was given another prompt for item a") &&
          Catch::EndsWith("bind `rejected` to predictions on the task of this stage"));
}

TEST_CASE("no pair at all is an error that says why", "[pairs]") {
  Pairs p;
  p.bind("chosen", {{"a", "good", true}, {"b", "bad", false}});
  p.bind("rejected", {{"a", "fine", true}, {"b", "wrong", false}});
  CHECK(p.stage.run() == LB_BAD_INPUT);
  CHECK(p.stage.error() ==
        "there is no preference pair\ntask t\nno item is right among `chosen` and wrong among `rejected`, chosen_wrong "
        "1, rejected_right 1\nuse more items, or models that differ more");
}
