// Items of a task, found from predictions about them.
//
//   const ItemIndex items(task);
//   const Item& item = items.at(prediction.item_id);   // "i7", and "i7#3", its third sample
#pragma once

#include <string>
#include <unordered_map>

#include "tasks/task.h"

namespace lowbit::tasks {

/// The item that a prediction is about, by the prediction's id: "#k" of the k-th of several samples is dropped.
[[nodiscard]] std::string sampled_item(const std::string& prediction_id);

class ItemIndex {
 public:
  /// `task` outlives it.
  explicit ItemIndex(const Task& task);

  /// An item of that very id, else the one of which it names a sample; null where there is neither.
  [[nodiscard]] const Item* find(const std::string& prediction_id) const;
  /// Throws StageError(LB_BAD_INPUT) where there is none.
  [[nodiscard]] const Item& at(const std::string& prediction_id) const;

 private:
  const Task& task_;
  std::unordered_map<std::string, const Item*> items_;
};

}  // namespace lowbit::tasks
