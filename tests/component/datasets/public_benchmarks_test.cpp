// Real benchmarks that lie beside a checkout (../shared/data), read and counted.
#include <fstream>
#include <map>

#include "answers/graders.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

/// The file as the task that `stage` makes of it; nothing, and a warning, where a checkout has no such neighbour.
std::optional<tasks::Task> read(const char* stage, const std::string& file, const Json& params = Json::object()) {
  const auto path = std::filesystem::path(LOWBIT_SOURCE_DIR).parent_path() / "shared/data/tasks" / file;
  if (!std::filesystem::exists(path)) {
    WARN("skipped: no " << path.string());
    return std::nullopt;
  }
  test::StageFixture fixture(stage);
  fixture.host.params = params;
  fixture.host.bind("records", {.path = path.string(), .type = "file"});
  REQUIRE(fixture.run() == LB_OK);
  return tasks::read_task(fixture.host.path("task"));
}

}  // namespace

TEST_CASE("MATH-500 has its published counts, and its boxes are its answers", "[benchmarks][shared]") {
  const auto task = read("lowbit.math", "math500/test.jsonl");
  if (!task) return;
  REQUIRE(task->items.size() == 500);
  std::map<std::string, int> subjects;
  std::map<std::int64_t, int> levels;
  for (const tasks::Item& item : task->items) {
    ++subjects[item.fields["subject"]];
    ++levels[item.fields["level"]];
  }
  // Counted without this reader, over the fields of the published rows.
  CHECK(subjects == std::map<std::string, int>{{"Algebra", 124},
                                               {"Counting & Probability", 38},
                                               {"Geometry", 41},
                                               {"Intermediate Algebra", 97},
                                               {"Number Theory", 62},
                                               {"Prealgebra", 82},
                                               {"Precalculus", 56}});
  CHECK(levels == std::map<std::int64_t, int>{{1, 43}, {2, 90}, {3, 105}, {4, 128}, {5, 134}});
  CHECK(task->items[0].problem_id == "math/test/precalculus/807");

  const auto path = std::filesystem::path(LOWBIT_SOURCE_DIR).parent_path() / "shared/data/tasks/math500/test.jsonl";
  std::size_t n_equal = 0;
  for_each_json_line(path, [&](const Json& row, std::size_t line) {
    n_equal += row.at("answer") == *task->items[line - 1].answer ? 1U : 0U;
  });
  CHECK(n_equal == 500);

  const auto hard = read("lowbit.math", "math500/test.jsonl", {{"subjects", {"Geometry"}}, {"levels", {5}}});
  for (const tasks::Item& item : hard->items) {
    CHECK(item.fields == Json({{"subject", "Geometry"}, {"level", 5}}));
  }
}

TEST_CASE("GSM8K has its published counts, and its solutions are right by their own answers", "[benchmarks][shared]") {
  const auto [file, n] = GENERATE(std::pair<std::string, std::size_t>("gsm8k/test.jsonl", 1319),
                                  std::pair<std::string, std::size_t>("gsm8k/train.jsonl", 7473));
  const auto task = read("lowbit.gsm8k", file);
  if (!task) return;
  REQUIRE(task->items.size() == n);
  const answers::Grader* grader = answers::grader_named("gsm8k-strict");
  std::size_t n_right = 0;
  std::size_t n_notes = 0;
  for (const tasks::Item& item : task->items) {
    n_right += grader->grade(*item.solution, *item.answer).correct ? 1U : 0U;
    n_notes += item.solution->find("<<") != std::string::npos ? 1U : 0U;
    CHECK_FALSE(item.steps->empty());
  }
  CHECK(n_right == n);
  CHECK(n_notes == 0);
}
