#include "cases.h"

#include <algorithm>
#include <unordered_map>

#include "tasks/task.h"

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;
using ItemsById = std::unordered_map<std::string, const tasks::Item*>;

/// An item's own id, or that of the item whose k-th sample "ID#k" is.
const tasks::Item* item_of(const ItemsById& items, const std::string& id) {
  if (const auto found = items.find(id); found != items.end()) return found->second;
  const auto sign = id.rfind('#');
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (sign == std::string_view::npos || sign + 1 == id.size() ||
      !std::all_of(id.begin() + static_cast<std::ptrdiff_t>(sign) + 1, id.end(), digit)) {
    return nullptr;
  }
  const auto found = items.find(id.substr(0, sign));
  return found == items.end() ? nullptr : found->second;
}

std::optional<std::string> solution_of(const tasks::Item& item) {
  if (item.solution || !item.steps) return item.solution;
  std::string joined;
  for (const std::string& step : *item.steps) joined += (joined.empty() ? "" : "\n") + step;
  return joined;
}

}  // namespace

std::vector<JudgedItem> read_cases(const Input& task_input, const Input& predictions, bool all) {
  const tasks::Task task = tasks::read_task(task_input.path);
  ItemsById items;
  for (const tasks::Item& item : task.items) items.emplace(item.item_id, &item);
  std::vector<JudgedItem> cases;
  const auto file = predictions.path / "predictions.jsonl";
  for_each_json_line(file, [&](const Json& row, std::size_t line) {
    const auto id = row.at("item_id").get<std::string>();
    const tasks::Item* const item = item_of(items, id);
    if (item == nullptr || row.at("problem_id") != item->problem_id) {
      throw StageError(LB_BAD_INPUT, {.what = "the predictions are not about this task",
                                      .where = file.string() + ":" + std::to_string(line),
                                      .why = item == nullptr ? "the task has no item " + id
                                                             : "item " + id + " is about another problem there",
                                      .fix = "bind `task` to the task that these predictions answer"});
    }
    if (!all && row.at("correct") == true) return;
    const Json& extracted = row.at("extracted");
    cases.push_back(
        {.item_id = id,
         .subject = {.problem = item->problem,
                     .answer = item->answer,
                     .solution = solution_of(*item),
                     .extracted = extracted.is_null() ? std::nullopt : std::optional(extracted.get<std::string>()),
                     .steps = row.at("steps").get<std::vector<std::string>>(),
                     .text = row.at("text").get<std::string>()}});
  });
  return cases;
}

}  // namespace lowbit::judge_llm
