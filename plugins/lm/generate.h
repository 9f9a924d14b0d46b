// Generation, greedy or by drawing tokens. What a prompt is answered depends on the prompt alone; what is computed
// beside it changes sums in their last bits only.
//
// Planned: a batch is answered to its end before the next begins. The plan is a pure function of the prompts and the
// batch size, so an answer's bits are one of these.
//
//   const lm::SharedPrefix prefix(model, prompts);
//   for (const auto& batch : lm::plan_batches(lengths, 64)) {
//     answers = lm::generate(model, prompts_of(batch), {.max_new_tokens = 128, .stop_ids = ..., .prefix =
//     &prefix});
//   }
//
// Refilled: with `n_rows`, a waiting prompt takes the place of a sequence that has ended, at once. Where answers differ
// much in length it takes fewer steps, but what stands beside a sequence depends on how long other answers are, and so
// do its last bits: another model, or one prompt more, moves those of all answers. The same call gives the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "lm/batches.h"
#include "lm/model.h"
#include "lm/prefill.h"
#include "lm/sampling.h"

namespace lowbit::lm {

struct GenerateOptions {
  int64_t max_new_tokens = 0;            ///< >= 1
  std::vector<int64_t> stop_ids;         ///< generation ends with any of these; it is not part of the answer
  const SharedPrefix* prefix = nullptr;  ///< of a set that holds all prompts; null: every prompt is computed whole
  int64_t n_rows = 0;                    ///< sequences answered at a time, ended ones are replaced; 0: all at once
  const Sampling* sampling = nullptr;    ///< null: the most probable token each time
  std::vector<uint64_t> streams;         ///< by prompt, what its draws are a function of; empty without sampling
};

struct Generation {
  std::vector<int64_t> ids;  ///< without the prompt
  bool truncated = false;    ///< max_new_tokens came before a stop token
};

/// Answers in the order of the prompts. `tick` is called with the number of finished answers before the model computes
/// anything (prompts that begin, one token more for all sequences) and may throw to cancel.
/// Throws Error{bad_param} when a prompt is empty or prompt and answer exceed the model's positions, Error{numeric}
/// when logits are not finite.
[[nodiscard]] std::vector<Generation> generate(const Model& model, const std::vector<std::vector<int64_t>>& prompts,
                                               const GenerateOptions& options,
                                               const std::function<void(size_t n_answered)>& tick = {});

}  // namespace lowbit::lm
