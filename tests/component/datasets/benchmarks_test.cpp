// MATH and GSM8K read from records in their publishers' forms; the problems are our own.
#include "lm/digest.h"
#include "support/stage_fixture.h"
#include "tasks/system_prompts.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

struct Reading {
  explicit Reading(const char* id) : stage(id) {}

  /// A file below the directory of records; the directory is bound.
  void write(const std::string& path, const std::string& text) {
    const fs::path file = stage.input("records") / path;
    fs::create_directories(file.parent_path());
    test::write_text(file, text);
  }
  lb_status run(const Json& params = Json::object()) {
    stage.host.params = params;
    stage.host.bind("records", {.path = stage.input("records").string(), .type = "file"});
    return stage.run();
  }
  [[nodiscard]] tasks::Task task() const { return tasks::read_task(stage.host.path("task")); }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const tasks::Item& item : task().items) all.push_back(item.item_id);
    return all;
  }

  test::StageFixture stage;
};
using Texts = std::vector<std::string>;

/// One problem as MATH has it.
std::string problem(const std::string& type, const std::string& level, const std::string& answer) {
  return Json{{"problem", "What is " + answer + "?"},
              {"level", level},
              {"type", type},
              {"solution", "First \\boxed{0}, then it is $\\boxed{" + answer + "}$."}}
      .dump(2);
}

/// Ten problems of three subjects in MATH's directories.
struct MathDirectory : Reading {
  MathDirectory() : Reading("lowbit.math") {
    for (int i = 1; i <= 6; ++i) {
      write("test/algebra/" + std::to_string(i) + ".json",
            problem("Algebra", "Level " + std::to_string(1 + i % 5), std::to_string(i)));
    }
    for (int i = 1; i <= 3; ++i) {
      write("test/counting_and_probability/" + std::to_string(i) + ".json",
            problem("Counting & Probability", "Level 5", "\\frac{1}{" + std::to_string(i) + "}"));
    }
    write("test/geometry/1.json", problem("Geometry", "Level ?", "\\pi"));
    write("README.md", "no record");
  }
};

}  // namespace

TEST_CASE("MATH is read from its directories: ids by path, the answer from the last box", "[benchmarks]") {
  MathDirectory reading;
  REQUIRE(reading.run() == LB_OK);
  const tasks::Task task = reading.task();
  REQUIRE(task.items.size() == 10);
  CHECK(task.name == "math");
  CHECK(task.grader == "math-verify");
  const tasks::Item& item = task.items[6];
  CHECK(item.item_id == "test/counting_and_probability/1");
  CHECK(item.problem_id == "math/test/counting_and_probability/1");
  CHECK(item.answer == "\\frac{1}{1}");
  CHECK(item.fields == Json({{"subject", "Counting & Probability"}, {"level", 5}}));
  CHECK(item.solution->starts_with("First"));
  CHECK_FALSE(item.steps);
  CHECK(task.items[9].fields == Json({{"subject", "Geometry"}}));
  CHECK(reading.stage.metric("data/n_items").value == 10);
}

TEST_CASE("problems of MATH are taken by subject, level and a stated choice", "[benchmarks]") {
  MathDirectory reading;
  REQUIRE(reading.run({{"subjects", {"Algebra", "Geometry"}}, {"levels", {2, 3}}}) == LB_OK);
  CHECK(reading.ids() == Texts{"test/algebra/1", "test/algebra/2", "test/algebra/6"});

  MathDirectory first;
  REQUIRE(first.run({{"n", 2}}) == LB_OK);
  CHECK(first.ids() == Texts{"test/algebra/1", "test/algebra/2"});

  // The three smallest SHA-256 of "7/<id>", in the order of the files.
  MathDirectory drawn;
  REQUIRE(drawn.run({{"n", 3}, {"choice", "random"}, {"seed", 7}}) == LB_OK);
  std::vector<std::pair<std::string, std::string>> draws;
  MathDirectory all;
  REQUIRE(all.run() == LB_OK);
  for (const std::string& id : all.ids()) draws.emplace_back(lm::sha256_of_text("7/" + id), id);
  std::sort(draws.begin(), draws.end());
  Texts expected{draws[0].second, draws[1].second, draws[2].second};
  std::sort(expected.begin(), expected.end());
  CHECK(drawn.ids() == expected);

  MathDirectory too_many;
  CHECK(too_many.run({{"n", 11}}) == LB_BAD_INPUT);
  CHECK(too_many.stage.error() == "there are too few items\nn\nwanted are 11, there are 10\nlower it to what there is");

  MathDirectory none;
  CHECK(none.run({{"subjects", {"Chess"}}}) == LB_BAD_INPUT);
  CHECK_THAT(none.stage.error(), Catch::StartsWith("no record can be used\n"));
}

TEST_CASE("rows of MATH-500 keep their ids, and a part of MATH's directories gets the same", "[benchmarks]") {
  Reading rows("lowbit.math");
  rows.write("test.jsonl", Json{{"problem", "What is 1?"},
                                {"solution", "It is $\\boxed{1}$."},
                                {"answer", "1"},
                                {"subject", "Counting & Probability"},
                                {"level", 2},
                                {"unique_id", "test/counting_and_probability/1.json"}}
                                   .dump() +
                               "\n");
  REQUIRE(rows.run() == LB_OK);
  const tasks::Item row = rows.task().items[0];
  CHECK(row.item_id == "test/counting_and_probability/1");
  CHECK(row.fields == Json({{"subject", "Counting & Probability"}, {"level", 2}}));

  const std::string path = GENERATE(std::string("counting_and_probability/1.json"), std::string("1.json"));
  Reading part("lowbit.math");
  part.write(path, problem("Counting & Probability", "Level 2", "1"));
  REQUIRE(part.run({{"split", "test"}}) == LB_OK);
  CHECK(part.task().items[0].item_id == row.item_id);
  CHECK(part.task().items[0].problem_id == row.problem_id);
}

TEST_CASE("rows without ids are known by their number, their problems by their text", "[benchmarks]") {
  Reading reading("lowbit.math");
  reading.write("a.jsonl", R"({"problem": "What  is 1?", "answer": "1"})"
                           "\n"
                           R"({"problem": "what is 1?", "answer": "1", "level": "3"})");
  REQUIRE(reading.run({{"split", "train"}}) == LB_OK);
  CHECK(reading.ids() == Texts{"train/1", "train/2"});
  const auto items = reading.task().items;
  CHECK(items[0].problem_id == items[1].problem_id);
  CHECK(items[0].problem_id == "text-" + lm::sha256_of_text("what is 1 ?").substr(0, 16));
  CHECK(items[1].fields == Json({{"level", 3}}));
}

TEST_CASE("records of MATH that cannot be used are named", "[benchmarks]") {
  Reading reading("lowbit.math");
  std::string expected;
  SECTION("no answer") {
    reading.write("a.jsonl", R"({"problem": "p", "solution": "none"})");
    expected =
        "a problem of MATH has no answer\na.jsonl, line 1\nits solution has no \\boxed{}, and there is no field "
        "`answer`\nrepair the record, or take it out of the input";
  }
  SECTION("no problem") {
    reading.write("b/c.json", R"([{"problem": "p", "answer": "1"}, {"solution": "\\boxed{1}"}])");
    expected =
        "a problem of MATH has no text\nb/c.json, record 2\nthere is no field `problem`\nrepair the record, or take it "
        "out of the input";
  }
  SECTION("no object") {
    reading.write("a.json", "3");
    expected =
        "a record cannot be read\na.json\nit is number instead of an object\nrepair the file, or take it out of the "
        "input";
  }
  SECTION("one id twice") {
    const std::string row = R"({"problem": "p", "answer": "1", "unique_id": "test/algebra/1.json"})";
    reading.write("a.jsonl", row + "\n" + row);
    expected =
        "two records have the same id\nrecords, item test/algebra/1\nids are the records' own, or follow from their "
        "paths\ntake one of them out of the input";
  }
  CHECK(reading.run() == LB_BAD_INPUT);
  CHECK(reading.stage.error() == expected);
}

TEST_CASE("a directory without records and JSON that is none are refused", "[benchmarks]") {
  Reading reading("lowbit.math");
  const bool empty = GENERATE(true, false);
  reading.write(empty ? "README.md" : "a.json", "{");
  CHECK(reading.run() == LB_BAD_INPUT);
  CHECK_THAT(reading.stage.error(), Catch::StartsWith("a record cannot be read\n") &&
                                        Catch::Contains(empty ? "no file below it ends in" : "parse error"));
}

TEST_CASE("GSM8K's answers are steps by line and the number behind the mark", "[benchmarks]") {
  const bool calculator = GENERATE(false, true);
  Reading reading("lowbit.gsm8k");
  reading.write(
      "test.jsonl",
      R"({"question": "Ann has 3 boxes of 4. How many?", "answer": "3*4 = <<3*4=12>>12.\n\nSo 12.\n#### 1,012 "})");
  REQUIRE(reading.run({{"split", "test"}, {"calculator", calculator}, {"name", "words"}}) == LB_OK);
  const tasks::Task task = reading.task();
  CHECK(task.name == "words");
  CHECK(task.grader == "lowbit.v1");
  CHECK(task.items[0].item_id == "test/1");
  CHECK(task.items[0].answer == "1,012");
  CHECK(task.items[0].steps == Texts{calculator ? "3*4 = <<3*4=12>>12." : "3*4 = 12.", "So 12."});
  CHECK(task.items[0].solution ==
        (calculator ? "3*4 = <<3*4=12>>12.\n\nSo 12.\n#### 1,012 " : "3*4 = 12.\n\nSo 12.\n#### 1,012 "));
}

TEST_CASE("a record of GSM8K without an answer, or without a question, is refused", "[benchmarks]") {
  Reading reading("lowbit.gsm8k");
  const bool answered = GENERATE(true, false);
  reading.write("a.jsonl", answered ? R"({"answer": "#### 3"})" : R"({"question": "q", "answer": "3 #### "})");
  CHECK(reading.run() == LB_BAD_INPUT);
  CHECK_THAT(reading.stage.error(),
             Catch::StartsWith(answered ? "a record cannot be read\na.jsonl, line 1\n"
                                        : "a problem of GSM8K has no answer\na.jsonl, line 1\nnothing stands behind"));
}

TEST_CASE("the system message of the papers' rules is the same bytes for ever", "[benchmarks]") {
  const std::string message = tasks::system_message("lowbit.step-align.v1");
  CHECK(lm::sha256_of_text(message) == "f24e5728fb26bc5daf07f7dec4f2144defa461a74472e987d43b4a030560fd5b");
  for (const char* part : {"<|step_start|>", "<|step_end|>", "<|answer_start|>\\boxed{42}<|answer_end|>"}) {
    CHECK_THAT(message, Catch::Contains(part));
  }
  CHECK(tasks::system_message("Be brief.") == "Be brief.");
}

TEST_CASE("the prompt's parameters become the task's, a system message by its name", "[benchmarks]") {
  const auto task_with = [](Json params) {
    params["template"] = "Problem:\n{{problem}}\n\nSolution:\n";
    MathDirectory reading;
    REQUIRE(reading.run(params) == LB_OK);
    return reading.task();
  };
  const std::string message = tasks::system_message("lowbit.step-align.v1");
  const auto chat = task_with({{"chat", true}, {"system", "lowbit.step-align.v1"}, {"response_format", "tagged"}});
  CHECK(chat.chat);
  CHECK(chat.system == message);
  CHECK(chat.prompt_template == "Problem:\n{{problem}}\n\nSolution:\n");
  CHECK(chat.response_format == "tagged");

  const auto plain = task_with({{"system", "lowbit.step-align.v1"}, {"stop", {"Problem:"}}, {"grader", "prm800k"}});
  CHECK_FALSE(plain.system);
  CHECK(tasks::prompt_of(plain, plain.items[0]) == message + "\n\nProblem:\nWhat is 1?\n\nSolution:\n");
  CHECK(plain.stop == Texts{"Problem:"});
  CHECK(plain.grader == "prm800k");
}

TEST_CASE("parameters that no task can have are refused", "[benchmarks]") {
  MathDirectory reading;
  Json params;
  std::string expected;
  SECTION("a system message that is not known") {
    params = {{"system", "lowbit.step-align.v9"}};
    expected =
        "there is no system message of that name\nsystem\nit is lowbit.step-align.v9, known is lowbit.step-align.v1\n"
        "use that name, or write the message itself, which must not begin with `lowbit.`";
  }
  SECTION("a system message that would be filled") {
    params = {{"system", "Answer {{x}}."}};
    expected =
        "the system message would be read as a template\nsystem\nwithout `chat` it stands in front of the template, "
        "and "
        "it has `{{` in it\nset `chat` to true, or write the message without two opening braces in a row";
  }
  SECTION("a name that is no part of a metric's") {
    params = {{"name", "my math"}};
    expected =
        "no task can have that name\nname\nit is my math, and metrics are named after it\nuse letters, digits, `_`, "
        "`.` "
        "and `-` only";
  }
  CHECK(reading.run(params) == LB_BAD_PARAM);
  CHECK(reading.stage.error() == expected);
}
