// What a judge is asked about: predictions joined with the items of their task.
#pragma once

#include <lowbit/sdk.hpp>
#include <string>
#include <vector>

#include "rubric.h"

namespace lowbit::judge_llm {

struct JudgedItem {
  std::string item_id;  ///< of the prediction
  Case subject;
};

/// In the order of the predictions; `all` false: without those that were graded as right. Throws
/// StageError(LB_BAD_INPUT) when a prediction is not about an item of the task.
[[nodiscard]] std::vector<JudgedItem> read_cases(const Input& task, const Input& predictions, bool all);

}  // namespace lowbit::judge_llm
