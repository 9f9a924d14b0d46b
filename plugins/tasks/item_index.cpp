#include "tasks/item_index.h"

namespace lowbit::tasks {

std::string sampled_item(const std::string& prediction_id) {
  const std::size_t mark = prediction_id.rfind('#');
  const bool sampled = mark != std::string::npos && mark > 0 && mark + 1 < prediction_id.size() &&
                       prediction_id.find_first_not_of("0123456789", mark + 1) == std::string::npos;
  return sampled ? prediction_id.substr(0, mark) : prediction_id;
}

ItemIndex::ItemIndex(const Task& task) : task_(task) {
  for (const Item& item : task.items) items_.emplace(item.item_id, &item);
}

const Item* ItemIndex::find(const std::string& prediction_id) const {
  auto found = items_.find(prediction_id);
  if (found == items_.end()) found = items_.find(sampled_item(prediction_id));
  return found == items_.end() ? nullptr : found->second;
}

const Item& ItemIndex::at(const std::string& prediction_id) const {
  if (const Item* const item = find(prediction_id)) return *item;
  throw StageError(LB_BAD_INPUT, {.what = "the predictions are not about this task",
                                  .where = "predictions.jsonl, item " + prediction_id,
                                  .why = "task " + task_.name + " has no such item",
                                  .fix = "bind `task` to the task that was answered"});
}

}  // namespace lowbit::tasks
