// Moving a scale from one side of a linear layer to the other: the input of a group of linears is divided by s, channel
// by channel, in the operation that produces it, and the linears' columns are multiplied by s. The model computes the
// same; what is easy to round changes. The operation is the norm before q, k, v and before gate, up; v before o; up
// before down (its other factor, the gate, stays).
// Thread rule: free functions without state.
#pragma once

#include "lm/block.h"

namespace lowbit::lm {

/// Whether a scale can be moved to the input of this group: not into a norm that stands elsewhere (OPT-350M), and not
/// from v to o where query heads share value heads, unless `tied`.
[[nodiscard]] bool can_fold(const ModelConfig& config, Linear group, bool tied = false);

/// Numbers of a scale for this group: the group's inputs, or with shared value heads those of v's outputs ([m d]), each
/// of which then stands for all query heads that read it.
[[nodiscard]] int64_t fold_width(const ModelConfig& config, Linear group);

/// Divides the inputs of `group` by s [fold_width()] and multiplies its linears' columns, in fp32 (fp64 where they
/// are). Replaces tensors of w, writes into none. REQUIRES: can_fold(), all s > 0.
void fold(const ModelConfig& config, BlockWeights& w, Linear group, const at::Tensor& s);

/// s as the group's inputs see it: [in].
[[nodiscard]] at::Tensor fold_columns(const ModelConfig& config, Linear group, const at::Tensor& s);

/// The other way: a statistic of the group's inputs [in], averaged over the inputs that share a scale: [fold_width()].
[[nodiscard]] at::Tensor fold_means(const ModelConfig& config, Linear group, const at::Tensor& per_input);

/// The norms and biases of a block that folds have replaced, by their Hugging Face names, in fp32.
[[nodiscard]] NamedTensors folded_vectors(const ModelConfig& config, int64_t block, const BlockWeights& before,
                                          const BlockWeights& after);

}  // namespace lowbit::lm
