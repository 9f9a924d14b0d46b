// The loss of a batch as a differentiable function of weights: the blocks of lm/model.h over tensors that may require
// gradients, and the output matrix applied only where a token is scored.
//
// Precision: x, norms, softmax and losses are in the dtype of the weights given (fp32; fp64 in tests). The matrices may
// be cast to bf16 first; gradients then flow through the cast into the wide ones.
// Thread rule: free functions without state.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lm/model.h"
#include "lm/train/sequences.h"

namespace lowbit::lm::train {

struct Weights {
  OuterWeights outer;
  std::vector<BlockWeights> blocks;
};

/// Weights by their Hugging Face names; the linears of the blocks and the output matrix are cast to `matrices`.
/// `get` is asked for each once; never for the output matrix when the embedding is tied.
[[nodiscard]] Weights assemble(const ModelConfig& config, const std::function<at::Tensor(const std::string&)>& get,
                               at::ScalarType matrices);

/// What block `block` makes of x [B, T, h].
using BlockStep = std::function<at::Tensor(int64_t block, const at::Tensor& x, const Positions& positions)>;

/// -log p(target) of each scored token, [P]. The blocks come as tensors, or as what is done with each.
[[nodiscard]] at::Tensor scored_nll(const ModelConfig& config, const OuterWeights& outer, const BlockStep& step,
                                    const Batch& batch);
[[nodiscard]] at::Tensor scored_nll(const ModelConfig& config, const Weights& weights, const Batch& batch);

/// Log-probability of each row's scored tokens, summed: [B]. `nll`: of scored_nll().
[[nodiscard]] at::Tensor row_logps(const at::Tensor& nll, const Batch& batch);

}  // namespace lowbit::lm::train
