#include <fstream>
#include <sstream>

#include "lm/digest.h"
#include "lm/quantized_model.h"
#include "lm/tokenizer.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

const std::filesystem::path kModel = std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-untied";

/// The reference prompts of a random model as a task, asked in turn so that there are batches to plan.
struct Asked {
  /// `tokenizer_config`: written beside a copy of the model; null: the model as it is, without a chat template.
  explicit Asked(const Json& tokenizer_config = nullptr, int n_items = 6,
                 const std::string& stage_id = "lowbit.generate")
      : stage(stage_id) {
    reference = Json::parse(test::read_text(kModel / "reference.json"))["greedy"];
    tasks::Task task{
        .name = "asked", .system = {}, .stop = {}, .response_format = "plain", .grader = "lowbit.v1", .items = {}};
    for (int i = 0; i < n_items; ++i) {
      task.items.push_back({.item_id = "i" + std::to_string(i),
                            .problem_id = "p",
                            .problem = reference[static_cast<std::size_t>(i % 2)]["prompt"],
                            .answer = "7",
                            .solution = {},
                            .steps = {}});
    }
    rewrite(task);
    const auto model = tokenizer_config.is_null() ? kModel : stage.input("model");
    if (!tokenizer_config.is_null()) {
      std::filesystem::copy(kModel, model, std::filesystem::copy_options::recursive);
      std::ofstream(model / "tokenizer_config.json") << tokenizer_config;
    }
    stage.host.bind("model", {.path = model.string(), .type = "model/1"});
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
    stage.host.params = {{"max_new_tokens", 24}, {"batch_size", 2}, {"checkpoint_interval_s", 0}};
  }
  /// A message of the job that begins with `text`.
  [[nodiscard]] std::string logged(const std::string& text) const {
    for (const auto& [level, message] : stage.host.log) {
      if (message.rfind(text, 0) == 0) return message;
    }
    return "";
  }
  void rewrite(const tasks::Task& task) const { tasks::write_task(stage.input("task"), task); }
  [[nodiscard]] tasks::Task task() const { return tasks::read_task(stage.input("task")); }

  test::StageFixture stage;
  Json reference;
};

Json config_with(const std::string& chat_template, const std::string& eos = "</s>") {
  const auto directory = std::filesystem::path(LOWBIT_SOURCE_DIR) / "docs/chat-templates";
  return {{"bos_token", "<s>"},
          {"eos_token", eos},
          {"chat_template", test::read_text(directory / (chat_template + ".jinja"))}};
}

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

TEST_CASE("samples of an item are rows of their own, and cold ones are the greedy answer", "[sample]") {
  Asked greedy;
  REQUIRE(greedy.stage.run() == LB_OK);
  const auto expected = greedy.stage.lines("predictions/predictions.jsonl");
  const auto samples = [](const Json& params) {
    Asked asked(nullptr, 6, "lowbit.sample");
    asked.stage.host.params.update(params);
    REQUIRE(asked.stage.run() == LB_OK);
    CHECK(asked.stage.metric("asked/n_total").value == 6 * params.value("samples", 1));
    return asked.stage.lines("predictions/predictions.jsonl");
  };
  for (const char* how : {R"({"temperature": 0})", R"({"temperature": 1e-6})", R"({"top_k": 1})"}) {
    INFO(how);
    CHECK(samples(Json::parse(how)) == expected);  // ids and all
  }
  const auto three = samples({{"samples", 3}, {"temperature", 1.5}});
  REQUIRE(three.size() == 18);
  CHECK(three[0]["item_id"] == "i0#1");
  CHECK(three[5]["item_id"] == "i1#3");
  CHECK(three[5]["problem_id"] == "p");
  CHECK(three[0]["prompt_sha"] == three[1]["prompt_sha"]);
  CHECK(three[0]["text"] != three[1]["text"]);
  // One prompt under two ids is answered by other draws; the first samples are what one sample would have been.
  CHECK(three[0]["text"] != three[6]["text"]);
  const auto one = samples({{"samples", 1}, {"temperature", 1.5}});
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(one[i]["text"] == three[3 * i]["text"]);
}

TEST_CASE("samples depend on the seed, and a job that goes on draws the same", "[sample]") {
  const auto asked_with = [](std::uint64_t seed, const std::string& resume_from, std::filesystem::path* checkpoint) {
    Asked asked(nullptr, 6, "lowbit.sample");
    asked.stage.host.params.update({{"samples", 2}, {"top_p", 0.9}});
    asked.stage.host.seed = seed;
    asked.stage.host.resume_from = resume_from;
    REQUIRE(asked.stage.run() == LB_OK);
    if (checkpoint != nullptr) {
      std::filesystem::copy(asked.stage.host.path("checkpoint-2"), *checkpoint);
    }
    return asked.stage.read("predictions/predictions.jsonl");
  };
  const test::TemporaryDirectory kept;
  std::filesystem::path checkpoint = kept.path() / "checkpoint";
  const std::string whole = asked_with(1, "", &checkpoint);
  CHECK(asked_with(1, checkpoint.string(), nullptr) == whole);
  CHECK(asked_with(2, "", nullptr) != whole);
}

TEST_CASE("refilled rows answer each item once, in order, and go on from a checkpoint with the same bytes",
          "[generate]") {
  // Groups of eight batches of two: 16, 16 and 8 items.
  Asked planned(nullptr, 40);
  REQUIRE(planned.stage.run() == LB_OK);
  CHECK(planned.logged("refill").empty());
  Asked refilled(nullptr, 40);
  refilled.stage.host.params["refill"] = true;
  REQUIRE(refilled.stage.run() == LB_OK);
  CHECK(refilled.stage.read("predictions/predictions.jsonl") == planned.stage.read("predictions/predictions.jsonl"));
  CHECK(refilled.logged("refill") ==
        "refill: the answers are not bit-stable, their last bits depend on the lengths of other answers");
  CHECK(refilled.stage.host.checkpoints == std::vector<std::uint64_t>{1, 2});
  CHECK(refilled.stage.host.progress.front().done == 0);
  CHECK(refilled.stage.host.progress.back().done < 40);

  Asked rest(nullptr, 40);
  rest.stage.host.params["refill"] = true;
  rest.stage.host.resume_from = refilled.stage.host.path("checkpoint-2");
  REQUIRE(rest.stage.run() == LB_OK);
  CHECK(rest.stage.host.progress.front().done == 32);
  CHECK(rest.stage.read("predictions/predictions.jsonl") == refilled.stage.read("predictions/predictions.jsonl"));

  Asked cancelled(nullptr, 40);
  cancelled.stage.host.params["refill"] = true;
  cancelled.stage.host.cancel_after_ticks = 50;
  CHECK(cancelled.stage.run() == LB_CANCELLED);
}

TEST_CASE("what all prompts begin with is computed once unless asked otherwise", "[generate]") {
  const auto answers = [](Asked& asked) {
    tasks::Task task = asked.task();
    task.prompt_template = "ann has two red apples . tom has five . {{problem}}";
    asked.rewrite(task);
    REQUIRE(asked.stage.run() == LB_OK);
    return asked.stage.read("predictions/predictions.jsonl");
  };
  const std::string message = "computed once, what all prompts begin with: ";
  Asked once;
  const std::string expected = answers(once);
  CHECK(once.logged(message) == message + "11 tokens");
  Asked whole;
  whole.stage.host.params["reuse_prefix"] = false;
  CHECK(answers(whole) == expected);
  CHECK(whole.logged(message).empty());

  // Columns of a prompt with outliers stay as they are, so what is computed together matters.
  Asked outliers(config_with("llama-2"));
  std::filesystem::remove_all(outliers.stage.input("model"));
  lm::copy_with_rules(kModel, outliers.stage.input("model"),
                      {.inputs = lm::ActivationGrid{.num_bits = 8}, .outlier_threshold = 6.0});
  (void)answers(outliers);
  CHECK(outliers.logged(message).empty());
  CHECK(outliers.logged("outliers") ==
        "outliers of activations are those of a whole prompt: prompts are computed whole");
}

TEST_CASE("what a model's generation_config.json asks for beyond its end tokens is named in the log", "[generate]") {
  Asked asked(config_with("llama-2"));  // a copy of the model
  const auto file = asked.stage.input("model") / "generation_config.json";
  std::ofstream(file) << R"({"do_sample": true, "temperature": 0.6, "max_length": 4096, "eos_token_id": 2})";
  REQUIRE(asked.stage.run() == LB_OK);
  CHECK(asked.logged("generation_config.json") ==
        "generation_config.json sets do_sample true, max_length 4096, temperature 0.6: not used, what decides is "
        "this stage's parameters");
  Asked silent;
  REQUIRE(silent.stage.run() == LB_OK);
  CHECK(silent.logged("generation_config.json").empty());
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

TEST_CASE("a chat task asks what its model's chat template renders", "[generate]") {
  const auto answers = [](Asked& asked, bool chat, const std::optional<std::string>& system, const char* form) {
    tasks::Task task = asked.task();
    task.chat = chat;
    task.system = system;
    task.prompt_template = form;
    asked.rewrite(task);
    REQUIRE(asked.stage.run() == LB_OK);
    return asked.stage.lines("predictions/predictions.jsonl");
  };
  Asked chat(config_with("llama-2"));
  const auto rendered = answers(chat, true, "be brief .", "{{problem}}");
  Asked plain;
  // The tokenizer puts <s> in front of a plain prompt, the template in front of a chat.
  const auto written =
      answers(plain, false, std::nullopt, "[INST] <<SYS>>\nbe brief .\n<</SYS>>\n\n{{problem}} [/INST]");
  Asked other(config_with("llama-2"));
  const auto without_system = answers(other, true, std::nullopt, "{{problem}}");
  REQUIRE(rendered.size() == written.size());
  for (std::size_t i = 0; i < rendered.size(); ++i) {
    CHECK(rendered[i]["text"] == written[i]["text"]);
    CHECK(rendered[i]["n_tokens"] == written[i]["n_tokens"]);
    const std::string problem = chat.reference[i % 2]["prompt"];
    CHECK(rendered[i]["prompt_sha"] ==
          lm::sha256_of_text("<s>[INST] <<SYS>>\nbe brief .\n<</SYS>>\n\n" + problem + " [/INST]"));
    CHECK(without_system[i]["prompt_sha"] == lm::sha256_of_text("<s>[INST] " + problem + " [/INST]"));
  }

  Asked dated(config_with("llama-3.1"));
  dated.stage.host.params["chat_date"] = "01 Feb 2025";
  const auto rows = answers(dated, true, std::nullopt, "{{problem}}");
  const std::string problem = dated.reference[0]["prompt"];
  CHECK(rows[0]["prompt_sha"] ==
        lm::sha256_of_text("<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
                           "Today Date: 01 Feb 2025\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n" +
                           problem + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"));
}

TEST_CASE("an answer to a chat ends where its turn does", "[generate]") {
  const auto answer_to_chat = [](const std::string& eos) {
    Asked asked(config_with("mistral-nemo", eos));
    tasks::Task task = asked.task();
    task.chat = true;
    asked.rewrite(task);
    REQUIRE(asked.stage.run() == LB_OK);
    return asked.stage.lines("predictions/predictions.jsonl")[0];
  };
  const Json whole = answer_to_chat("</s>");
  std::istringstream words(whole["text"].get<std::string>());
  std::string first;
  std::string second;
  words >> first >> second;
  REQUIRE(first != second);
  // The second word of the answer is made the end of a turn: what config.json ends answers at stays as it is.
  const Json cut = answer_to_chat(second);
  CHECK(cut["text"] == first);
  CHECK(cut["truncated"] == false);
  CHECK(cut["n_tokens"] == 2);
}

TEST_CASE("a chat task is refused when the model has no chat template", "[generate]") {
  Asked asked;
  tasks::Task task = asked.task();
  task.chat = true;
  asked.rewrite(task);
  CHECK(asked.stage.run() == LB_BAD_INPUT);
  CHECK(asked.stage.error().rfind("the model has no chat template\n", 0) == 0);
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
        "the task's grader is not known\ntask.json of asked\nit is other.v2, known are lowbit.v1, math-verify, "
        "hendrycks-math, prm800k, lm-eval-minerva, opencompass-v1, opencompass-v2, gsm8k-strict, gsm8k-flexible\nuse a "
        "task with one of these graders or without one";
  }
  SECTION("a system message without a chat template") {
    task.system = "Be brief.";
    expected =
        "task asked cannot be used here\ntask.json\nit has a system message, and only a chat template can say "
        "one\nset `prompt.chat` to true, or move the message into `prompt.template`";
  }
  SECTION("a kind that is not answered in text") {
    task.kind = "choose";
    expected =
        "task asked cannot be used here\ntask.json\nits kind is choose, nothing is written in answer to it\nuse a "
        "task of kind generate";
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
