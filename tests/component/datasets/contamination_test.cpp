#include "overlap/overlap.h"

#include "math_problems.h"
#include "overlap/words.h"
#include "support/stage_fixture.h"
#include "tasks/record_files.h"
#include "tasks/task.h"

using namespace lowbit;
using overlap::normalised;
using overlap::Rule;

namespace {

/// "w1 w2 ... wn"
std::string words(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += "w" + std::to_string(i) + " ";
  return text;
}

struct Checked {
  test::StageFixture stage{"lowbit.contamination"};

  /// Each item is {item id, text}; the problem id is the item id.
  void bind(const std::string& port, const std::string& name,
            const std::vector<std::pair<std::string, std::string>>& items) {
    tasks::Task task{.name = name, .system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = {}};
    for (const auto& [id, text] : items) {
      task.items.push_back(
          {.item_id = id, .problem_id = id, .problem = text, .answer = {}, .solution = {}, .steps = {}});
    }
    const auto directory = stage.input(name);
    tasks::write_task(directory, task);
    stage.host.bind(port, {.path = directory.string(), .type = "task/1"});
  }
};

}  // namespace

TEST_CASE("texts are compared without case and white space, but with every sign", "[contamination]") {
  CHECK(normalised("Tom  has\n12 apples.") == "tom has 12 apples .");
  CHECK(normalised("tom has 12 apples .") == "tom has 12 apples .");
  CHECK(normalised("3 x + 4 = 10") != normalised("3 x - 4 = 10"));
  CHECK(normalised("1.5") != normalised("15"));
  CHECK(normalised("3(x+4)") == normalised("3 ( x + 4 )"));
  CHECK(normalised(" \t ").empty());
}

TEST_CASE("overlap is the share of the subject's runs of 13 words in one other text", "[contamination]") {
  // 22 words have 10 runs. The other text has its last 20 words: 8 of them.
  const overlap::Subjects subjects({{"a", "pa", words(1, 22)}, {"b", "pb", words(1, 12)}});
  const auto found = subjects.matches({{"o1", "q1", words(8, 22)}, {"o2", "q2", words(3, 40)}}, 0.5);
  REQUIRE(found.size() == 1);
  CHECK(found[0].rule == Rule::run);
  CHECK(found[0].subject == 0);
  CHECK(found[0].other == 1);
  CHECK(found[0].overlap == Approx(0.8));
  CHECK(subjects.matches({{"o2", "q2", words(3, 40)}}, 2).empty());
  // Twelve words have no run, so a longer text that holds them is not found; the same text is.
  CHECK(subjects.matches({{"o3", "q3", words(1, 12) + "more"}}, 0.9).empty());
  CHECK(subjects.matches({{"o4", "q4", words(1, 12)}}, 0.9).size() == 1);
}

TEST_CASE("a clean task passes as it is, byte for byte", "[contamination]") {
  Checked c;
  c.bind("task", "test", {{"t1", "one"}, {"t2", "two"}});
  c.bind("others", "train", {{"a", "three"}});
  c.bind("others", "dev", {{"b", "four"}});
  REQUIRE(c.stage.run() == LB_OK);
  for (const char* file : {"task.json", "items.jsonl"}) {
    CHECK(c.stage.read("task/" + std::string(file)) == test::read_text(c.stage.input("test") / file));
  }
  CHECK(nlohmann::json::parse(c.stage.read("report/report.json")) == nlohmann::json::parse(R"({
    "kind": "contamination", "outcome": "pass", "findings": [],
    "counts": {"items": 2, "others": 2, "exact_text": 0, "problem_id": 0, "ngram_13": 0, "warnings": 0}})"));
  CHECK(c.stage.metric("contamination/n_compared").value == 2);
}

TEST_CASE("a problem that stands in another set fails the stage and is named", "[contamination]") {
  Checked c;
  c.bind("task", "test", {{"t1", "one"}, {"t2", "Two words"}, {"t3", "three"}});
  c.bind("others", "train", {{"t1", "other text"}, {"a", "two  WORDS"}});
  CHECK(c.stage.run() == LB_BAD_INPUT);
  CHECK(c.stage.error() ==
        "the task is contaminated\ntask test\n2 of its 3 problems stand in another set: t1 (in train:t1, problem_id), "
        "t2 (in train:a, exact_text)\ntake these problems out of one of the sets");
}

TEST_CASE("shared runs of words fail, warn or are not looked for", "[contamination]") {
  const auto mode = GENERATE(std::string("fail"), std::string("warn"), std::string("off"));
  Checked c;
  c.stage.host.params["ngram"] = mode;
  c.bind("task", "test", {{"t1", words(1, 22)}});
  c.bind("others", "train", {{"a", words(3, 40)}});
  const lb_status status = c.stage.run();
  if (mode == "fail") {
    CHECK(status == LB_BAD_INPUT);
    CHECK_THAT(c.stage.error(), Catch::Contains("t1 (in train:a, ngram_13)") && Catch::Contains("set `ngram: warn`"));
    return;
  }
  REQUIRE(status == LB_OK);
  const auto report = nlohmann::json::parse(c.stage.read("report/report.json"));
  CHECK(report["outcome"] == (mode == "warn" ? "warn" : "pass"));
  CHECK(c.stage.metric("contamination/warnings").value == (mode == "warn" ? 1 : 0));
  if (mode == "warn") {
    CHECK(report["findings"][0]["subject"] == "test:t1");
    CHECK(report["findings"][0]["overlap"].get<double>() == Approx(0.8));
  }
}

namespace {

/// MATH-500 beside the checkout; empty, and a warning, where there is none.
std::vector<nlohmann::json> math_500() {
  const auto path = std::filesystem::path(LOWBIT_SOURCE_DIR).parent_path() / "shared/data/tasks/math500/test.jsonl";
  if (std::filesystem::exists(path)) return read_json_lines(path);
  WARN("skipped: no " << path.string());
  return {};
}

/// Rows first to last-1 as lowbit.math makes them: by rows of MATH-500, or by files in MATH's directories.
tasks::Task math_task(const std::vector<nlohmann::json>& rows, std::size_t first, std::size_t last, bool by_path) {
  test::TemporaryDirectory directory;
  for (std::size_t i = first; i < last; ++i) {
    nlohmann::json row = rows[i];
    std::filesystem::path file = directory.path() / (std::to_string(i) + ".jsonl");
    if (by_path) {
      file = directory.path() / row["unique_id"].get<std::string>();
      row = {{"problem", row["problem"]},
             {"level", "Level " + row["level"].dump()},
             {"type", row["subject"]},
             {"solution", row["solution"]}};
    }
    std::filesystem::create_directories(file.parent_path());
    test::write_text(file, row.dump());
  }
  tasks::Task task{.name = by_path ? "math" : "math-500",
                   .system = {},
                   .stop = {},
                   .response_format = {},
                   .grader = {},
                   .items = {}};
  tasks::for_each_record(directory.path(),
                         [&](const tasks::Record& record) { task.items.push_back(benchmarks::math_item(record, "")); });
  return task;
}

struct Compared {
  explicit Compared(const std::string& ngram = "fail") { stage.host.params["ngram"] = ngram; }
  void bind(const std::string& port, const tasks::Task& task) {
    tasks::write_task(stage.input(port), task);
    stage.host.bind(port, {.path = stage.input(port).string(), .type = "task/1"});
  }
  test::StageFixture stage{"lowbit.contamination"};
};

}  // namespace

TEST_CASE("MATH-500 is found in itself and in MATH's directories, and not in its other half",
          "[contamination][shared]") {
  const auto rows = math_500();
  if (rows.empty()) return;
  Compared itself;
  itself.bind("task", math_task(rows, 0, 500, false));
  itself.bind("others", math_task(rows, 0, 500, false));
  CHECK(itself.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(itself.stage.error(), Catch::Contains("500 of its 500 problems stand in another set"));

  // Other words under the same id: only the id, which both readers make of MATH's path, tells.
  tasks::Task reworded = math_task(rows, 0, 500, true);
  for (tasks::Item& item : reworded.items) item.problem = "item " + item.item_id;
  Compared inside;
  inside.bind("task", math_task(rows, 0, 250, false));
  inside.bind("others", reworded);
  CHECK(inside.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(inside.stage.error(),
             Catch::Contains("250 of its 250 problems stand in another set") && Catch::Contains(", problem_id)"));

  Compared halves("warn");
  halves.bind("task", math_task(rows, 0, 250, false));
  halves.bind("others", math_task(rows, 250, 500, true));
  REQUIRE(halves.stage.run() == LB_OK);
  CHECK(halves.stage.metric("contamination/n_compared").value == 250);
}
