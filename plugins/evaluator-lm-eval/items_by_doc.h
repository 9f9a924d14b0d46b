// Which item of a task a sample answers.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "samples_file.h"
#include "tasks/task.h"

namespace lowbit::lm_eval {

class ItemsByDoc {
 public:
  /// `task` outlives it. Its items are found by their doc_id where lowbit.lm-eval-task wrote them, else by the text of
  /// the problem: equal ones in the order of the task.
  ItemsByDoc(const tasks::Task& task, std::string problem_field);

  /// Each item once. Throws StageError{LB_BAD_INPUT} with the sample's line where there is none.
  [[nodiscard]] const tasks::Item& take(const Sample& sample);

 private:
  [[nodiscard]] const tasks::Item& take_by_doc(const Sample& sample);
  [[nodiscard]] const tasks::Item& take_by_text(const Sample& sample);

  const tasks::Task& task_;
  std::string problem_field_;
  std::map<std::int64_t, const tasks::Item*> by_doc_;              // empty where items do not say it
  std::map<std::string, std::deque<const tasks::Item*>> by_text_;  // empty otherwise
};

}  // namespace lowbit::lm_eval
