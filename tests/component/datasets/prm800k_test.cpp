// PRM800K's records, in its own schema with problems of our own (data/prm800k.jsonl), as rows to train on.
#include <filesystem>
#include <map>

#include "answers/response.h"
#include "lm/tokenizer.h"
#include "sample.h"
#include "solution.h"
#include "support/stage_fixture.h"
#include "tasks/choice.h"
#include "tasks/system_prompts.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

const fs::path kData = fs::path(LOWBIT_SOURCE_DIR) / "tests/component/datasets/data";

struct Converting {
  void bind_records(const fs::path& file = kData / "prm800k.jsonl") {
    stage.host.bind("records", {.path = file.string(), .type = "file"});
  }
  void bind_records(const Json& records) {
    const fs::path file = stage.input("records") / "rows.jsonl";
    std::string text;
    for (const Json& record : records) text += record.dump() + "\n";
    test::write_text(file, text);
    bind_records(file);
  }
  /// With the chat template of `family`, a file of docs/chat-templates; its tokenizer begins texts with <s>.
  void bind_model(const std::string& family = "llama-2") {
    const fs::path model = stage.input("model");
    fs::copy_file(fs::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-untied/tokenizer.json",
                  model / "tokenizer.json");
    fs::copy_file(fs::path(LOWBIT_SOURCE_DIR) / "docs/chat-templates" / (family + ".jinja"),
                  model / "chat_template.jinja");
    test::write_text(model / "tokenizer_config.json", R"({"bos_token": "<s>", "eos_token": "</s>"})");
    stage.host.bind("model", {.path = model.string(), .type = "model/1"});
  }
  void bind_problems(const std::vector<tasks::Item>& items) {
    tasks::write_task(stage.input("problems"),
                      {.name = "math", .system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = items});
    stage.host.bind("problems", {.path = stage.input("problems").string(), .type = "task/1"});
  }
  lb_status run(const Json& params = Json::object()) {
    stage.host.params = params;
    return stage.run();
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const Json& row : stage.lines("pairs/pairs.jsonl")) all.push_back(row["item_id"]);
    return all;
  }
  [[nodiscard]] std::map<std::string, double> dropped() const {
    const std::string prefix = "data/dropped/";
    std::map<std::string, double> all;
    for (const auto& metric : stage.host.metrics) {
      if (metric.name.starts_with(prefix)) all[metric.name.substr(prefix.size())] = metric.value;
    }
    return all;
  }

  test::StageFixture stage{"lowbit.prm800k"};
};
using Texts = std::vector<std::string>;

/// A row of a data set "solutions only".
Json solution_only(const std::string& problem, const Texts& responses, const std::string& next, const Json& answer) {
  return {{"instruction", problem}, {"responses", responses}, {"next_response", next}, {"answer", answer}};
}

/// A record of PRM800K's own files whose steps have one completion each, chosen.
Json labelled(const std::vector<Json>& completions) {
  Json steps = Json::array();
  for (const Json& completion : completions) {
    steps.push_back({{"completions", {completion}}, {"chosen_completion", 0}, {"human_completion", nullptr}});
  }
  return {{"question", {{"problem", "p"}, {"ground_truth_answer", "4"}}},
          {"label", {{"steps", steps}, {"finish_reason", "solution"}}}};
}

}  // namespace

TEST_CASE("solutions become tagged text, byte for byte", "[prm800k]") {
  Converting c;
  c.bind_records();
  REQUIRE(c.run({{"template", "Problem:\n{{problem}}\n\nSolution:\n"}, {"end_token", "<|end_of_text|>"}}) == LB_OK);
  CHECK(c.stage.read("pairs/pairs.jsonl") == test::read_text(kData / "prm800k.pairs.jsonl"));
  for (const Json& row : c.stage.lines("pairs/pairs.jsonl")) {
    std::string text = row["completion"];
    text.resize(text.size() - std::string("<|end_of_text|>").size());
    CHECK(answers::read_response(text, answers::Format::tagged).format_kept);
  }
}

TEST_CASE("what is no whole, right solution is left out and counted by reason", "[prm800k]") {
  Converting c;
  c.bind_records();
  REQUIRE(c.run() == LB_OK);
  CHECK(c.ids() == Texts{"prm800k/1", "prm800k/7", "prm800k/8", "prm800k/21", "prm800k/23"});
  CHECK(c.dropped() == std::map<std::string, double>{{"answer_inside", 1},
                                                     {"bad_problem", 1},
                                                     {"bad_step", 1},
                                                     {"duplicate", 1},
                                                     {"empty_step", 1},
                                                     {"flagged", 1},
                                                     {"found_error", 1},
                                                     {"give_up", 1},
                                                     {"initial_screening", 2},
                                                     {"no_answer", 1},
                                                     {"no_reference", 1},
                                                     {"no_steps", 1},
                                                     {"quality_control", 1},
                                                     {"tag_inside", 1},
                                                     {"unfinished", 1},
                                                     {"unreadable", 1},
                                                     {"wrong_answer", 1}});
  CHECK(c.stage.metric("data/n_items").value == 5);
  CHECK(c.stage.metric("data/n_problems").value == 3);
  const tasks::Task task = tasks::read_task(c.stage.host.path("task"));
  REQUIRE(task.items.size() == 3);
  CHECK(task.items[1].answer == "\\frac{1}{4}");
  CHECK(task.items[1].solution == "(by hand)");
  CHECK(task.items[1].problem_id == c.stage.lines("pairs/pairs.jsonl")[1]["problem_id"]);
}

TEST_CASE("a solution of no problem is left out, and a choice that is none of the completions ends one", "[prm800k]") {
  Converting c;
  Json nameless = labelled({{{"text", "one\n# Answer\n\n4"}}});
  nameless["question"]["problem"] = " ";
  Json beyond = labelled({{{"text", "one"}}, {{"text", "two\n# Answer\n\n4"}}});
  beyond["label"]["steps"][1]["chosen_completion"] = 9;
  c.bind_records(Json::array({nameless, beyond, labelled({{{"text", "one"}}, {{"text", "# Answer\n\n4"}}})}));
  REQUIRE(c.run() == LB_OK);
  CHECK(c.ids() == Texts{"prm800k/3"});
  CHECK(c.dropped() == std::map<std::string, double>{{"no_answer", 1}, {"no_problem", 1}});
}

TEST_CASE("rows of solutions only take answers and ids from tasks with their problems", "[prm800k]") {
  const Json rows{solution_only("What is  $6 \\cdot 7$?", {"We multiply."}, "It is $42$.", "42"),
                  solution_only("what is $6 \\cdot 7$?", {}, "Forty-two.\n\n# Answer\n\n42", nullptr),
                  solution_only("What is $6 \\cdot 7$?", {}, "Forty-one.", "41"),
                  solution_only("What is $6 \\cdot 7$?", {"We stop."}, "Here.", nullptr),
                  solution_only("What is $1$?", {}, "One.", "1")};
  Converting c;
  c.bind_records(rows);
  c.bind_problems({{.item_id = "test/prealgebra/1",
                    .problem_id = "math/test/prealgebra/1",
                    .problem = "What is $6 \\cdot 7$?",
                    .answer = "42",
                    .solution = {},
                    .steps = {},
                    .fields = {{"level", 1}}}});
  REQUIRE(c.run({{"template", "{{problem}} ({{level}})"}}) == LB_OK);
  const auto pairs = c.stage.lines("pairs/pairs.jsonl");
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0]["problem_id"] == "math/test/prealgebra/1");
  CHECK(pairs[0]["prompt"] == "What is  $6 \\cdot 7$? (1)");
  CHECK(pairs[0]["completion"] ==
        "<|step_start|>We multiply.<|step_end|><|step_start|>It is $42$.<|step_end|><|answer_start|>\\boxed{42}"
        "<|answer_end|><eos>");
  CHECK(pairs[1]["completion"] == "<|step_start|>Forty-two.<|step_end|><|answer_start|>\\boxed{42}<|answer_end|><eos>");
  CHECK(c.dropped() == std::map<std::string, double>{{"no_answer", 1}, {"no_reference", 1}, {"wrong_answer", 1}});
}

TEST_CASE("problems get one solution each before any gets a second, by a stated draw", "[prm800k]") {
  std::vector<prm800k::Candidate> candidates;
  for (int i = 0; i < 60; ++i) {  // problem p0 has 40, p1 to p10 have two each
    candidates.push_back({"s" + std::to_string(i), i < 40 ? "p0" : "p" + std::to_string(1 + (i - 40) % 10)});
  }
  const auto by_problem = [&](const prm800k::Sample& sample) {
    std::map<std::string, std::size_t> counts;
    for (const std::size_t i : sample.taken) ++counts[candidates[i].problem_id];
    return counts;
  };
  const auto first = prm800k::sampled(candidates, 11, 0, 5);
  CHECK(by_problem(first).size() == 11);
  CHECK(std::is_sorted(first.taken.begin(), first.taken.end()));
  // p0's is the one whose SHA-256 of "5/<id>" is smallest.
  std::size_t smallest = 0;
  for (std::size_t i = 1; i < 40; ++i) {
    if (tasks::draw_of(5, candidates[i].item_id) < tasks::draw_of(5, candidates[smallest].item_id)) smallest = i;
  }
  CHECK(first.taken.front() == smallest);

  const auto second = prm800k::sampled(candidates, 17, 0, 5);
  for (const auto& [problem, n] : by_problem(second)) CHECK(n <= 2);
  CHECK(std::includes(second.taken.begin(), second.taken.end(), first.taken.begin(), first.taken.end()));
  CHECK(prm800k::sampled(candidates, 17, 0, 6).taken != second.taken);

  const auto capped = prm800k::sampled(candidates, 0, 3, 5);
  CHECK(capped.n_over_cap == 37);
  CHECK(capped.taken.size() == 23);
  CHECK(prm800k::sampled(candidates, 0, 0, 5).taken.size() == 60);
}

TEST_CASE("as many solutions are written as asked for, or the stage says what is missing", "[prm800k]") {
  Converting c;
  c.bind_records();
  REQUIRE(c.run({{"n", 3}, {"seed", 1}}) == LB_OK);
  CHECK(c.ids().size() == 3);
  CHECK(c.stage.metric("data/n_problems").value == 3);
  CHECK(c.dropped().at("not_drawn") == 2);

  Converting capped;
  capped.bind_records();
  REQUIRE(capped.run({{"per_problem", 1}}) == LB_OK);
  CHECK(capped.dropped().at("per_problem") == 2);

  Converting too_many;
  too_many.bind_records();
  CHECK(too_many.run({{"n", 6}}) == LB_BAD_INPUT);
  CHECK_THAT(
      too_many.stage.error(),
      Catch::StartsWith("there are too few solutions\nn\nwanted are 6, there are 5; left out: answer_inside 1, "));

  Converting none;
  none.bind_records(Json::array({solution_only("What is $1$?", {}, "One.", "1")}));
  CHECK(none.run() == LB_BAD_INPUT);
  CHECK(
      none.stage.error() ==
      "no solution can be used\nrecords\nthere is none; left out: no_reference 1\ndocs/recovery-data.md says what the "
      "reasons mean; no_reference: bind `problems` to tasks with the answers");
}

TEST_CASE("a chat prompt is what the model is asked, the completion ends its turn", "[prm800k]") {
  Converting c;
  c.bind_records();
  c.bind_model("llama-3");
  REQUIRE(c.run({{"chat", true}, {"system", "lowbit.step-align.v1"}, {"n", 1}, {"seed", 1}}) == LB_OK);
  const Json row = c.stage.lines("pairs/pairs.jsonl")[0];
  const std::string problem = tasks::read_task(c.stage.host.path("task")).items[0].problem;
  // Without the start token, which trainers put in front.
  CHECK(row["prompt"] == "<|start_header_id|>system<|end_header_id|>\n\n" +
                             tasks::system_message("lowbit.step-align.v1") +
                             "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n" + problem +
                             "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  const std::string completion = row["completion"];
  CHECK(completion.ends_with("<|answer_end|><|eot_id|>"));
  CHECK(tasks::read_task(c.stage.host.path("task")).chat);
}

TEST_CASE("solutions longer than the limit are left out whole", "[prm800k]") {
  // The small model's vocabulary has a token for each of these words, and <unk> for what it does not know.
  Converting c;
  c.bind_records();
  c.bind_model();
  REQUIRE(c.run() == LB_OK);
  const auto tokenizer = lm::Tokenizer::open(c.stage.input("model") / "tokenizer.json");
  std::vector<std::size_t> lengths;
  for (const Json& row : c.stage.lines("pairs/pairs.jsonl")) {
    lengths.push_back(tokenizer.encode(row["prompt"].get<std::string>() + row["completion"].get<std::string>()).size());
  }
  const std::size_t limit = *std::min_element(lengths.begin(), lengths.end());
  const auto n_within = std::count(lengths.begin(), lengths.end(), limit);
  REQUIRE(n_within < 5);
  c.stage.host.metrics.clear();
  REQUIRE(c.run({{"max_tokens", limit}}) == LB_OK);
  CHECK(c.stage.metric("data/n_items").value == static_cast<double>(n_within));
  CHECK(c.dropped().at("too_long") == static_cast<double>(5 - n_within));
}

TEST_CASE("what needs a model says so, and records of other forms are named", "[prm800k]") {
  Converting c;
  std::string expected;
  Json params = Json::object();
  SECTION("tokens") {
    c.bind_records();
    params["max_tokens"] = 10;
    expected =
        "tokens cannot be counted without a model\nmax_tokens\nthe input `model` is not bound\nbind `model` to the "
        "model that is trained, or set max_tokens to 0";
  }
  SECTION("a chat template") {
    c.bind_records();
    params["chat"] = true;
    expected =
        "the prompts are for a chat template, and there is no model to take it from\ntask prm800k\nits `chat` is true, "
        "and the input `model` is not bound\nbind `model` to the model that is asked";
  }
  SECTION("another form") {
    c.bind_records(Json::array({{{"question", "q"}, {"answer", "a"}}}));
    expected =
        "a record is not one of PRM800K\nrows.jsonl, line 1\nits fields are answer, question\nbind PRM800K's own JSONL "
        "files, or the rows of a data set \"solutions only\" as JSONL (scripts/parquet-to-jsonl --rows)";
  }
  const auto refused = [](const std::string& field, const std::string& why) {
    return "a record is not one of PRM800K\nrows.jsonl, line 1, `" + field + "`\n" + why +
           "\ntake the line out, or the files as their authors published them";
  };
  SECTION("a field of another type: a label") {
    Json record = labelled({{{"text", "one"}, {"rating", "1"}}});
    c.bind_records(Json::array({record}));
    expected = refused("rating", "it is string, and must be a whole number or null");
  }
  SECTION("a field of another type: a step") {
    Json record = labelled({});
    record["label"]["steps"].push_back(7);
    c.bind_records(Json::array({record}));
    expected = refused("steps", "a step is number");
  }
  SECTION("a field of another type: a solution") {
    c.bind_records(Json::array({solution_only("p", {"one"}, "two", 3)}));
    expected = refused("answer", "it is number, and must be a text");
  }
  CHECK(c.run(params) == LB_BAD_INPUT);
  CHECK(c.stage.error() == expected);
}
