// lowbit.lm-eval-task and lowbit.lm-eval-predictions: the questions and the answers of one task.
#include "evaluation.h"
#include "lm/digest.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

struct Asking {
  lb_status run(const Json& params) {
    evaluation.write(stage.input("out"));
    stage.host.bind("results", {.path = stage.input("out").string(), .type = "file"});
    stage.host.params = params;
    return stage.run();
  }
  std::string refused(const Json& params) {
    REQUIRE(run(params) == LB_BAD_INPUT);
    return stage.error();
  }
  Json item(std::size_t i) { return stage.lines("task/items.jsonl").at(i); }

  test::Evaluation evaluation;
  test::StageFixture stage{"lowbit.lm-eval-task"};
};

const Json kStrict{{"task", "sums"}, {"filter", "strict"}};

struct Answering {
  /// Answers to a task that lowbit.lm-eval-task made of the same evaluation.
  lb_status run(const Json& params) {
    test::StageFixture asking("lowbit.lm-eval-task");
    test::Evaluation().write(asking.input("out"));
    asking.host.bind("results", {.path = asking.input("out").string(), .type = "file"});
    asking.host.params = params;
    asking.host.params.erase("metric");
    REQUIRE(asking.run() == LB_OK);
    return run(params, asking.host.path("task"));
  }
  lb_status run(const Json& params, const std::filesystem::path& task) {
    if (writes) evaluation.write(stage.input("out"));
    stage.host.bind("results", {.path = stage.input("out").string(), .type = "file"});
    stage.host.bind("task", {.path = task.string(), .type = "task/1"});
    stage.host.params = params;
    return stage.run();
  }
  std::string refused(const Json& params) {
    REQUIRE(run(params) == LB_BAD_INPUT);
    return stage.error();
  }
  [[nodiscard]] std::vector<Json> rows() const { return stage.lines("predictions/predictions.jsonl"); }

  bool writes = true;
  test::Evaluation evaluation;
  test::StageFixture stage{"lowbit.lm-eval-predictions"};
};

/// Of lowbit's own making: the same questions in another order.
std::filesystem::path own_task(const test::StageFixture& stage, const std::vector<std::string>& problems) {
  tasks::Task task{.name = "own", .system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = {}};
  for (const std::string& problem : problems) {
    const std::string id = "own-" + std::to_string(task.items.size());
    task.items.push_back(
        {.item_id = id, .problem_id = "p" + id, .problem = problem, .answer = "1", .solution = {}, .steps = {}});
  }
  tasks::write_task(stage.input("own"), task);
  return stage.input("own");
}

}  // namespace

TEST_CASE("questions that are answered in text become a task", "[lm-eval]") {
  Asking a;
  REQUIRE(a.run({{"task", "sums"}, {"filter", "strict"}, {"grader", "gsm8k-flexible"}, {"answer_after", "####"}}) ==
          LB_OK);
  const tasks::Task task = tasks::read_task(a.stage.host.path("task"));
  CHECK(task.name == "sums");
  CHECK(task.kind == "generate");
  CHECK(task.grader == "gsm8k-flexible");
  CHECK(task.stop == std::vector<std::string>{"\n"});
  REQUIRE(task.items.size() == 2);
  CHECK(task.items[1].item_id == "1");
  CHECK(task.items[1].problem_id == "doc-" + std::string(16, 'b'));
  CHECK(task.items[1].problem == "What is 1+1?");
  CHECK(task.items[1].answer == "2");
  CHECK(task.items[1].solution == "sum #### 2");

  Asking whole;
  REQUIRE(whole.run({{"task", "sums"}, {"filter", "flexible"}, {"whole_prompt", true}}) == LB_OK);
  CHECK(whole.item(0)["problem"] == "Q: What is 0+1?\nA:");
  CHECK(whole.item(0)["answer"] == "sum #### 1");
}

TEST_CASE("questions with choices become a task", "[lm-eval]") {
  Asking a;
  REQUIRE(a.run({{"task", "sky"}}) == LB_OK);
  CHECK(a.item(0)["problem"] == "The sky is");
  CHECK(a.item(0)["choices"] == Json({"blue", "red"}));
  CHECK(a.item(0)["answer_index"] == 0);
  CHECK(a.item(1)["answer_index"] == 1);  // the target is its text

  Asking contexts;  // one continuation behind several contexts
  for (Json& row : contexts.evaluation.sky) {
    row["arguments"]["gen_args_1"] = {{"arg_0", "The sea is"}, {"arg_1", " blue"}};
    row["target"] = "1";
  }
  REQUIRE(contexts.run({{"task", "sky"}}) == LB_OK);
  CHECK(contexts.item(0)["choices"] == Json({"The sky is", "The sea is"}));

  Asking mutual;  // the choices again, without the question
  for (Json& row : mutual.evaluation.sky) {
    row["metrics"] = Json::array({"acc", "acc_mutual_info"});
    row["arguments"]["gen_args_2"] = {{"arg_0", ""}, {"arg_1", " blue"}};
    row["arguments"]["gen_args_3"] = {{"arg_0", ""}, {"arg_1", " red"}};
  }
  REQUIRE(mutual.run({{"task", "sky"}}) == LB_OK);
  CHECK(mutual.item(0)["choices"] == Json({"blue", "red"}));

  Asking several;
  several.evaluation.sky[1]["target"] = "[0, 1]";
  CHECK_THAT(several.refused({{"task", "sky"}}), Contains("the right choice is not known") && Contains(".jsonl:2"));
}

TEST_CASE("scored pages become a task", "[lm-eval]") {
  Asking a;
  a.evaluation.results["configs"]["sky"]["output_type"] = "loglikelihood_rolling";
  for (Json& row : a.evaluation.sky) row["arguments"] = {{"gen_args_0", {{"arg_0", "a page"}}}};
  REQUIRE(a.run({{"task", "sky"}}) == LB_OK);
  CHECK(a.item(0)["problem"] == "");
  CHECK(a.item(0)["solution"] == "a page");
}

TEST_CASE("a task that cannot be made says why", "[lm-eval]") {
  const auto refused = [](const Json& params, const auto& change) {
    Asking a;
    change(a.evaluation);
    return a.refused(params);
  };
  using E = test::Evaluation;
  CHECK_THAT(refused({}, [](E&) {}), Contains("samples of several tasks") && Contains("sky, sums"));
  CHECK_THAT(refused({{"task", "all"}}, [](E&) {}), Contains("no samples of task `all`"));
  CHECK_THAT(refused({{"task", "sums"}}, [](E&) {}), Contains("several ways") && Contains("flexible, strict"));
  CHECK_THAT(refused({{"task", "sums"}, {"filter", "loose"}}, [](E&) {}), Contains("no sample of filter `loose`"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.results["configs"].erase("sums"); }),
             Contains("not known how task `sums` is answered"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[0]["doc"].erase("question"); }),
             Contains("the question of an item is not known") && Contains("answer") && Contains(".jsonl:1"));
  Json wrong = kStrict;
  wrong["problem_field"] = "title";
  CHECK_THAT(refused(wrong, [](E&) {}), Contains("`title` is no text there"));
  Json mark = kStrict;
  mark["answer_after"] = "=";
  CHECK_THAT(refused(mark, [](E&) {}), Contains("a target has no answer"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1].erase("target"); }), Contains(".jsonl:2") && Contains("target"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1]["doc_id"] = 0; }),
             Contains("item 0 stands there twice") && Contains(".jsonl:2"));
  CHECK_THAT(refused({{"task", "sums"}},
                     [](E& e) {
                       for (Json& row : e.sums) row.erase("filter");
                     }),
             Contains("item 0 stands there twice") && Contains("before 0.4.7"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1]["arguments"] = Json::object(); }), Contains("has no prompt"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1]["arguments"]["gen_args_0"]["arg_0"] = 5; }),
             Contains("a prompt is not a text"));
}

TEST_CASE("answers in text become graded predictions", "[lm-eval]") {
  Answering a;
  REQUIRE(a.run(kStrict) == LB_OK);
  const auto rows = a.rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == Json{{"item_id", "0"},
                        {"problem_id", "doc-" + std::string(16, 'a')},
                        {"prompt_sha", lm::sha256_of_text("Q: What is 0+1?\nA:")},
                        {"text", " it is 1"},
                        {"steps", Json::array()},
                        {"extracted", "1"},
                        {"correct", true},
                        {"n_tokens", 0},
                        {"truncated", false}});
  CHECK(rows[1]["extracted"].is_null());  // [invalid]
  CHECK(rows[1]["correct"] == false);
  CHECK(a.stage.metric("sums/accuracy").value == 0.5);
  CHECK(a.stage.metric("sums/accuracy").count == 2);
  CHECK(a.stage.metric("sums/n_correct").value == 1);
  CHECK(a.stage.metric("sums/n_total").value == 2);
  CHECK(a.stage.metric("sums/extracted").value == 0.5);
}

TEST_CASE("choices become predictions with their log-probabilities, as texts and as numbers", "[lm-eval]") {
  Answering a;
  a.evaluation.sky[1]["resps"] = Json::parse("[[[-0.5, false]], [[-2.25, true]]]");
  REQUIRE(a.run({{"task", "sky"}}) == LB_OK);
  for (const Json& row : a.rows()) {
    CHECK(row["choice_logprobs"] == Json({-0.5, -2.25}));
    CHECK(row["text"] == "");
  }
  CHECK(a.stage.metric("sky/accuracy").value == 0.5);
}

TEST_CASE("answers find the items of lowbit's own task by their questions", "[lm-eval]") {
  Answering a;
  REQUIRE(a.run(kStrict, own_task(a.stage, {"What is 1+1?\n", "What is 2+1?", "What is 0+1?"})) == LB_OK);
  CHECK(a.rows()[0]["item_id"] == "own-2");
  CHECK(a.rows()[1]["item_id"] == "own-0");
  CHECK(a.stage.metric("own/accuracy").value == 0.5);
  CHECK_THAT(a.stage.host.log.at(0).second, Contains("1 of the task's 3 items were not asked"));

  Answering other;
  REQUIRE(other.run(kStrict, own_task(other.stage, {"What is 0+1?"})) == LB_BAD_INPUT);
  CHECK_THAT(other.stage.error(),
             Contains("no item of task own has the problem `What is 1+1?`") && Contains(".jsonl:2"));
  Answering twice;
  twice.evaluation.sums[1]["doc"] = twice.evaluation.sums[0]["doc"];
  REQUIRE(twice.run(kStrict, own_task(twice.stage, {"What is 0+1?"})) == LB_BAD_INPUT);
  CHECK_THAT(twice.stage.error(), Contains("no item of task own is left"));
}

TEST_CASE("samples that are not those of the results or the task are refused", "[lm-eval]") {
  const auto refused = [](const Json& params, const auto& change) {
    Answering a;
    change(a.evaluation);
    return a.refused(params);
  };
  using E = test::Evaluation;
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums.erase(e.sums.begin()); }),
             Contains("not all of the task's") && Contains("there are 1, by n-samples"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1]["exact_match"] = 1.0; }),
             Contains("do not give the task's value") && Contains("1.0") && Contains("0.5"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1]["doc_hash"] = std::string(64, 'f'); }),
             Contains("the item is another one in the task") && Contains(".jsonl:2"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1]["doc_id"] = 7; }), Contains("none with doc_id 7"));
  CHECK_THAT(refused(kStrict, [](E& e) { e.sums[1]["exact_match"] = 0.5; }),
             Contains("neither right nor wrong") && Contains("exact_match is 0.5"));
  Json other = kStrict;
  other["metric"] = "bleu";
  CHECK_THAT(refused(other, [](E&) {}), Contains("no metric `bleu`") && Contains("exact_match"));
}

TEST_CASE("rows as before 0.4.7 name neither filter nor metrics", "[lm-eval]") {
  Answering a;
  a.evaluation.sums.resize(2);
  for (Json& row : a.evaluation.sums) {
    row.erase("filter");
    row.erase("metrics");
    row["prompt_hash"] = row["target_hash"] = "0";
  }
  test::StageFixture asking("lowbit.lm-eval-task");
  a.evaluation.write(asking.input("out"));
  asking.host.bind("results", {.path = asking.input("out").string(), .type = "file"});
  asking.host.params = {{"task", "sums"}};
  REQUIRE(asking.run() == LB_OK);
  REQUIRE(a.run({{"task", "sums"}}, asking.host.path("task")) == LB_OK);
  CHECK(a.stage.metric("sums/accuracy").value == 0.5);
}

TEST_CASE("a mean is compared where the task takes one", "[lm-eval]") {
  Answering a;
  a.evaluation.results["configs"]["sums"]["metric_list"][0]["aggregation"] = "best of all";
  a.evaluation.sums[1]["exact_match"] = 1.0;
  CHECK(a.run(kStrict) == LB_OK);
}

TEST_CASE("without a grade predictions are ungraded", "[lm-eval]") {
  Answering a;
  for (Json& row : a.evaluation.sky) row["metrics"] = Json::array({"brier_score"});
  REQUIRE(a.run({{"task", "sky"}}) == LB_OK);
  CHECK(a.rows()[0]["correct"].is_null());
  CHECK_THAT(a.stage.host.log.at(0).second, Contains("not graded"));
}

TEST_CASE("lines that are none are refused with their number", "[lm-eval]") {
  for (const std::string line : {"{\"doc_id\": 0,", "\xff", "", "3"}) {
    CAPTURE(line);
    Answering a;
    a.writes = false;
    a.evaluation.write(a.stage.input("out"));
    const auto file = a.stage.input("out") / "org__model" / ("samples_sums_" + a.evaluation.time + ".jsonl");
    test::write_text(file, a.evaluation.sums[0].dump() + "\n" + line + "\n");
    CHECK_THAT(a.refused(kStrict), Contains("line 2 of samples_sums_") && Contains(".jsonl:2"));
  }
}
