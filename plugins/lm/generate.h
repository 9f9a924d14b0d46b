// Greedy generation in planned batches. What a prompt is answered depends on the prompt alone; the batch it stands in
// changes sums in their last bits only, and the plan is a pure function of the prompts and the batch size, so the same
// job gives the same bytes.
//
//   for (const auto& batch : lm::plan_batches(lengths, 64)) { answers = lm::generate_greedy(model, prompts_of(batch),
//   {...}); }
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "lm/batches.h"
#include "lm/model.h"

namespace lowbit::lm {

struct GenerateOptions {
  int64_t max_new_tokens = 0;     ///< >= 1
  std::vector<int64_t> stop_ids;  ///< generation ends with any of these; it is not part of the answer
};

struct Generation {
  std::vector<int64_t> ids;  ///< without the prompt
  bool truncated = false;    ///< max_new_tokens came before a stop token
};

/// One batch, left-padded. `tick` is called before every decoding step and may throw to cancel.
/// Throws Error{bad_param} when a prompt is empty or prompt and answer exceed the model's positions.
[[nodiscard]] std::vector<Generation> generate_greedy(const Model& model,
                                                      const std::vector<std::vector<int64_t>>& prompts,
                                                      const GenerateOptions& options,
                                                      const std::function<void()>& tick = {});

}  // namespace lowbit::lm
