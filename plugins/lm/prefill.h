// What stands in the cache before the first token of an answer: prompts, left-padded, so that all end in one column.
// The tokens that all prompts of a job begin with (examples, a system message) are computed once, alone, and their keys
// and values are copied to where each prompt begins.
//
// A prompt's keys and values depend on its tokens and their distance from its beginning, not on its column: positions
// count from the first real token, and a window counts columns backwards. So the copy is exact, and nothing else
// changes: prompt after padding, no padding in between.
//
//   column      0 1 2 3 4 5 6 7       P = 4: columns 0..3 are copied, 4.. are computed for the whole batch. What of the
//   prompt a    A B C D a a a a       prefix stands behind column P (C D of b) is computed again, in columns that the
//   prompt b    . . A B C D b b       longer prompts need anyway.
//
// P is a function of the prompts alone, so what is computed is one of the prompts and the batches. It differs from
// prompts computed whole in the last bits of sums (products have other shapes). One thing looks at more than the tokens
// before it: the outliers of LLM.int8 (lm/activations.h) are columns of what is computed together, so there a prefix is
// not for reuse.
// Thread rule: const members may be called from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "lm/model.h"

namespace lowbit::lm {

/// Tokens that all of `prompts` begin with; 0 for none.
[[nodiscard]] int64_t common_length(const std::vector<std::vector<int64_t>>& prompts);

/// Keys and values of what all prompts begin with, up to the model's positions; nothing where there is only one prompt.
class SharedPrefix {
 public:
  SharedPrefix(const Model& model, const std::vector<std::vector<int64_t>>& prompts);
  [[nodiscard]] int64_t length() const { return cache_.length; }
  [[nodiscard]] const KvCache& cache() const { return cache_; }

 private:
  KvCache cache_;  // one sequence
};

/// Fills an empty cache with left-padded prompts and returns what the last block makes of their last tokens: [B, 1, h].
/// `prefix`: of a set that holds all of `prompts`; null: they are computed whole.
/// REQUIRES: no prompt is empty, the cache has B sequences and room for the longest.
[[nodiscard]] at::Tensor prefill(const Model& model, const std::vector<std::vector<int64_t>>& prompts,
                                 const SharedPrefix* prefix, KvCache& cache);

/// [B] int64 for Model::forward(); undefined where there is no padding.
[[nodiscard]] at::Tensor padding_tensor(const std::vector<int64_t>& n_pads);

}  // namespace lowbit::lm
