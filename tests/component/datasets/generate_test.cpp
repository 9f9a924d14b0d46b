#include "lm/digest.h"
#include "lm/tokenizer.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

const std::filesystem::path kModel = std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-untied";

/// The reference prompts of a random model as a task, each asked three times so that there are batches to plan.
struct Asked {
  Asked() {
    reference = Json::parse(test::read_text(kModel / "reference.json"))["greedy"];
    tasks::Task task{
        .name = "asked", .system = {}, .stop = {}, .response_format = "plain", .grader = "lowbit.v1", .items = {}};
    for (int i = 0; i < 6; ++i) {
      task.items.push_back({.item_id = "i" + std::to_string(i),
                            .problem_id = "p",
                            .problem = reference[static_cast<std::size_t>(i % 2)]["prompt"],
                            .answer = "7",
                            .solution = {},
                            .steps = {}});
    }
    rewrite(task);
    stage.host.bind("model", {.path = kModel.string(), .type = "model/1"});
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
    stage.host.params = {{"max_new_tokens", 24}, {"batch_size", 2}, {"checkpoint_interval_s", 0}};
  }
  void rewrite(const tasks::Task& task) const { tasks::write_task(stage.input("task"), task); }
  [[nodiscard]] tasks::Task task() const { return tasks::read_task(stage.input("task")); }

  test::StageFixture stage{"lowbit.generate"};
  Json reference;
};

}  // namespace

TEST_CASE("a task is answered as the independent reference answers its prompts", "[generate]") {
  Asked asked;
  REQUIRE(asked.stage.run() == LB_OK);
  const auto rows = asked.stage.lines("predictions/predictions.jsonl");
  REQUIRE(rows.size() == 6);
  const auto tokenizer = lm::Tokenizer::open(kModel / "tokenizer.json");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& expected = asked.reference[i % 2];
    const std::size_t n_ids = expected["ids"].size();
    CHECK(rows[i]["item_id"] == "i" + std::to_string(i));
    CHECK(rows[i]["text"] == tokenizer.decode(expected["ids"], lm::Tokenizer::Show::special_too));
    CHECK(rows[i]["prompt_sha"] == lm::sha256_of_text(expected["prompt"].get<std::string>()));
    CHECK(rows[i]["truncated"] == (n_ids == 24));
    CHECK(rows[i]["n_tokens"] == n_ids + (n_ids == 24 ? 0 : 1));
    CHECK(rows[i]["extracted"].is_null());
    CHECK(rows[i]["correct"] == false);
    CHECK(rows[i]["format_kept"] == false);
  }
  CHECK(asked.stage.metric("asked/accuracy").value == 0);
  CHECK(asked.stage.metric("asked/accuracy").count == 6);
  CHECK(asked.stage.metric("asked/n_total").value == 6);
  // Half of the answers are cut: sqrt(0.5 * 0.5 / 6).
  CHECK(asked.stage.metric("asked/truncated").value == 0.5);
  CHECK(asked.stage.metric("asked/truncated").std_error == Approx(0.2041241452));
}

TEST_CASE("a job that goes on from a checkpoint writes the same bytes", "[generate]") {
  Asked whole;
  REQUIRE(whole.stage.run() == LB_OK);
  CHECK(whole.stage.host.checkpoints == std::vector<std::uint64_t>{1, 2});  // three batches; none after the last
  for (const char* checkpoint : {"checkpoint-1", "checkpoint-2"}) {
    Asked rest;
    rest.stage.host.resume_from = whole.stage.host.path(checkpoint);
    REQUIRE(rest.stage.run() == LB_OK);
    CHECK(rest.stage.host.progress.size() < whole.stage.host.progress.size());
    CHECK(rest.stage.read("predictions/predictions.jsonl") == whole.stage.read("predictions/predictions.jsonl"));
  }
}

TEST_CASE("the right answers are counted, and stop texts end an answer", "[generate]") {
  Asked asked;
  tasks::Task task = asked.task();
  // "had then boxes had now ? ...": cut before the question mark, what is left equals the first item's answer.
  task.stop = {" ?"};
  task.prompt_template = "{{problem}}";
  asked.rewrite(task);
  asked.stage.host.params["response_format"] = "tagged";
  REQUIRE(asked.stage.run() == LB_OK);
  const auto rows = asked.stage.lines("predictions/predictions.jsonl");
  CHECK(rows[0]["text"] == "had then boxes had now");
  CHECK(rows[0]["truncated"] == false);
  CHECK(asked.stage.metric("asked/format_kept").value == 0);
  CHECK(asked.stage.metric("asked/format_kept").count == 6);
}

TEST_CASE("generation can be cancelled", "[generate]") {
  Asked asked;
  asked.stage.host.cancel_after_ticks = 5;
  CHECK(asked.stage.run() == LB_CANCELLED);
}

TEST_CASE("tasks that would be asked or graded otherwise than meant are refused", "[generate]") {
  Asked asked;
  tasks::Task task = asked.task();
  std::string expected;
  SECTION("a grader that is not known") {
    task.grader = "other.v2";
    expected =
        "the task's grader is not known\ntask.json of asked\nit is other.v2, known is lowbit.v1\nuse a task with this "
        "grader or without one";
  }
  SECTION("a chat template") {
    task.chat = true;
    expected =
        "task asked cannot be used here\ntask.json\nits prompt needs a chat template, which is not supported "
        "yet\nuse a task of kind generate without a chat template";
  }
  SECTION("a template with an unknown field") {
    task.prompt_template = "{{level}}: {{problem}}";
    expected =
        "item i0 has no field `level`, which the prompt's template names\nitems.jsonl, item i0\nit is null "
        "there\nadd the field, or take it out of the template";
  }
  asked.rewrite(task);
  CHECK(asked.stage.run() == LB_BAD_INPUT);
  CHECK(asked.stage.error() == expected);
}

TEST_CASE("a task without a grader has no accuracy", "[generate]") {
  Asked asked;
  tasks::Task task = asked.task();
  task.grader.reset();
  asked.rewrite(task);
  REQUIRE(asked.stage.run() == LB_OK);
  CHECK(asked.stage.lines("predictions/predictions.jsonl")[0]["correct"].is_null());
  for (const auto& metric : asked.stage.host.metrics) CHECK(metric.name != "asked/accuracy");
}
