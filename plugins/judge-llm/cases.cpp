#include "cases.h"

#include "tasks/item_index.h"

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;
std::optional<std::string> solution_of(const tasks::Item& item) {
  if (item.solution || !item.steps) return item.solution;
  std::string joined;
  for (const std::string& step : *item.steps) joined += (joined.empty() ? "" : "\n") + step;
  return joined;
}

}  // namespace

std::vector<JudgedItem> read_cases(const Input& task_input, const Input& predictions, bool all) {
  const tasks::Task task = tasks::read_task(task_input.path);
  const tasks::ItemIndex items(task);
  std::vector<JudgedItem> cases;
  const auto file = predictions.path / "predictions.jsonl";
  for_each_json_line(file, [&](const Json& row, std::size_t line) {
    const auto id = row.at("item_id").get<std::string>();
    const tasks::Item* const item = items.find(id);
    if (item == nullptr || row.at("problem_id") != item->problem_id) {
      throw StageError(LB_BAD_INPUT, {.what = "the predictions are not about this task",
                                      .where = file.string() + ":" + std::to_string(line),
                                      .why = item == nullptr ? "the task has no item " + id
                                                             : "item " + id + " is about another problem there",
                                      .fix = "bind `task` to the task that these predictions answer"});
    }
    if (!all && row.at("correct") == true) return;
    cases.push_back({.item_id = id,
                     .subject = {.problem = item->problem,
                                 .answer = item->answer,
                                 .solution = solution_of(*item),
                                 .extracted = optional_of<std::string>(row.at("extracted")),
                                 .steps = row.at("steps").get<std::vector<std::string>>(),
                                 .text = row.at("text").get<std::string>()}});
  });
  return cases;
}

}  // namespace lowbit::judge_llm
