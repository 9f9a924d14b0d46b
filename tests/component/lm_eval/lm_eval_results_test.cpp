// lowbit.lm-eval-results: each number of the file, and each way in which a file is none.
#include <cmath>

#include "evaluation.h"
#include "support/stage_fixture.h"

using namespace lowbit;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

struct Taking {
  void bind(const std::filesystem::path& path) { stage.host.bind("results", {.path = path.string(), .type = "file"}); }
  lb_status run(const Json& params = Json::object()) {
    const auto directory = stage.input("out");
    evaluation.write(directory);
    bind(directory);
    stage.host.params = params;
    return stage.run();
  }
  /// All four parts of the error that these parameters lead to.
  std::string refused(const Json& params = Json::object()) {
    REQUIRE(run(params) == LB_BAD_INPUT);
    return stage.error();
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& metric : stage.host.metrics) all.push_back(metric.name);
    return all;
  }

  test::Evaluation evaluation;
  test::StageFixture stage{"lowbit.lm-eval-results"};
};

}  // namespace

TEST_CASE("numbers come with their errors, counts and names of lowbit", "[lm-eval]") {
  Taking t;
  REQUIRE(t.run() == LB_OK);
  CHECK(t.names() == std::vector<std::string>{"all/accuracy", "sky/accuracy", "sky/brier_score", "x/sky.own_score",
                                              "sums/exact_match@flexible", "sums/exact_match@strict"});
  const auto strict = t.stage.metric("sums/exact_match@strict");
  CHECK(strict.value == 0.5);
  CHECK(strict.std_error == 0.5);
  CHECK(strict.count == 2);
  CHECK(strict.unit == "fraction");
  CHECK(t.stage.metric("all/accuracy").count == 4);  // the group says it
  const auto brier = t.stage.metric("sky/brier_score");
  CHECK(brier.value == 0.25);
  CHECK(std::isnan(brier.std_error));  // "N/A"
  CHECK(t.stage.metric("x/sky.own_score").value == 7.5);
  CHECK_THAT(t.stage.host.log.at(0).second, Contains("x/sky.own_score"));
}

TEST_CASE("what is known about an evaluation is kept, and what is not known is named", "[lm-eval]") {
  Taking t;
  REQUIRE(t.run({{"tasks", {"sums"}}}) == LB_OK);
  const Json facts = Json::parse(t.stage.read("facts/facts.json"));
  CHECK(facts["lm_eval_version"] == "0.4.13");
  CHECK(facts["model_name"] == "org/model");
  CHECK(facts["date"] == 1795467298.5);
  CHECK(facts["config"]["limit"] == 2);
  CHECK(facts["tasks"].size() == 1);
  CHECK(facts["tasks"]["sums"]["version"] == 2.0);
  CHECK(facts["tasks"]["sums"]["n_shot"] == 5);
  CHECK(facts["tasks"]["sums"]["task_hash"] == "9b5d");
  CHECK(facts["tasks"]["sums"]["n_samples"]["original"] == 9);
  CHECK(facts["unknown"] ==
        Json({"transformers_version", "git_hash", "system_instruction", "chat_template_sha", "fewshot_as_multiturn"}));
}

TEST_CASE("tasks and metrics are chosen by their names in the file", "[lm-eval]") {
  Taking t;
  REQUIRE(t.run({{"tasks", {"sky"}}, {"metrics", {"acc"}}}) == LB_OK);
  CHECK(t.names() == std::vector<std::string>{"sky/accuracy"});
  Taking other;
  CHECK_THAT(other.refused({{"tasks", {"skies"}}}), Contains("no task `skies`") && Contains("all, sky, sums"));
  Taking none;
  CHECK_THAT(none.refused({{"metrics", {"bleu"}}}), Contains("no number to take"));
}

TEST_CASE("files of older versions: no filters, no counts, groups that count their tasks", "[lm-eval]") {
  Taking t;
  t.evaluation.results = Json::parse(R"({"results": {"sky": {"acc": 0.5, "acc_stderr": 0.1, "alias": "sky"}}})");
  REQUIRE(t.run() == LB_OK);
  CHECK(t.stage.metric("sky/accuracy").std_error == 0.1);
  CHECK(t.stage.metric("sky/accuracy").count == 0);
  CHECK_THAT(t.stage.read("facts/facts.json"), Contains("\"n-samples\"") && Contains("\"task_hashes\""));

  Taking groups;
  groups.evaluation.results["results"]["all"].erase("sample_count");
  groups.evaluation.results["group_subtasks"] = {{"all", {"sky", "sums", "inner"}}, {"inner", {"inner", "sky"}}};
  REQUIRE(groups.run({{"tasks", {"all"}}}) == LB_OK);
  CHECK(groups.stage.metric("all/accuracy").count == 4);
}

TEST_CASE("one of several results files is taken by its time", "[lm-eval]") {
  Taking t;
  test::Evaluation later;
  later.time = "2026-11-24T00-00-00.000000";
  later.results["results"]["sky"]["acc,none"] = 0.75;
  later.write(t.stage.input("out"));
  CHECK_THAT(t.refused(), Contains("several results files") &&
                              Contains("org__model/results_2026-11-23T20-54-58.969696.json") &&
                              Contains("org__model/results_2026-11-24T00-00-00.000000.json") && Contains("`time`"));
  Taking one;
  later.write(one.stage.input("out"));
  REQUIRE(one.run({{"time", later.time}}) == LB_OK);
  CHECK(one.stage.metric("sky/accuracy").value == 0.75);
  Taking none;
  CHECK_THAT(none.refused({{"time", "2020"}}), Contains("results_2020.json"));
}

TEST_CASE("a results file stands alone too", "[lm-eval]") {
  test::TemporaryDirectory directory;
  test::Evaluation evaluation;
  evaluation.write(directory.path());
  Taking t;
  t.bind(directory.path() / "org__model" / ("results_" + evaluation.time + ".json"));
  REQUIRE(t.stage.run() == LB_OK);
  CHECK(t.stage.metric("sky/accuracy").value == 0.5);
}

TEST_CASE("numbers that lowbit would misread are refused", "[lm-eval]") {
  const auto refused = [](const std::string& metric, const Json& value) {
    Taking t;
    t.evaluation.results["results"]["sky"][metric + ",none"] = value;
    return t.refused();
  };
  CHECK_THAT(refused("acc", nullptr), Contains("`acc,none` of sky is not a number") && Contains("results.sky"));
  CHECK_THAT(refused("acc", Json::array()), Contains("it is array"));
  CHECK_THAT(refused("f1", 83.5), Contains("`f1` is not a fraction here") && Contains("83.5"));
  Taking t;
  t.evaluation.results["higher_is_better"]["sky"]["acc"] = false;
  CHECK_THAT(t.refused(), Contains("lower is better") && Contains("higher is better"));
  Taking twice;
  twice.evaluation.results["results"]["a:b"] = {{"acc,none", 0.5}};
  twice.evaluation.results["results"]["a_b"] = {{"acc,none", 0.5}};
  CHECK_THAT(twice.refused(), Contains("`a_b/accuracy` is taken"));
}

TEST_CASE("a file that is none says its line", "[lm-eval]") {
  const auto refused = [](const std::string& text) {
    Taking t;
    const auto file = t.stage.input("other") / "results_x.json";
    test::write_text(file, text);
    t.bind(file);
    REQUIRE(t.stage.run() == LB_BAD_INPUT);
    return t.stage.error();
  };
  CHECK_THAT(refused("{\n\"results\": {,}\n}\n"), Contains("results_x.json:2"));
  CHECK_THAT(refused("{\n\n\"results\": {\"\xff\": 1}}"), Contains("results_x.json:3") && Contains("UTF-8"));
  CHECK_THAT(refused(""), Contains("results_x.json:1"));
  CHECK_THAT(refused("[]"), Contains("no object `results`"));
  CHECK_THAT(refused("{\"results\": {}}"), Contains("no number to take"));
  CHECK_THAT(refused("{\"results\": {\"sky\": 3}}"), Contains("the numbers of sky cannot be read"));
  Taking empty;
  empty.bind(empty.stage.input("empty"));
  REQUIRE(empty.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(empty.stage.error(), Contains("no results file") && Contains("--output_path"));
}
