// The parts of a block between its matrix products. For fp32 on the CPU each is one pass over memory (lm/kernels.h),
// with a gradient of its own (not twice differentiable); for every other dtype and device it is composed of libtorch's
// operations, the same formula. Shapes that break a contract throw c10::Error.
// Thread rule: free functions without state.
#pragma once

#include "lm/torch.h"

namespace lowbit::lm {

/// The dtype of norms, softmax and losses: fp64 when `compute` is, fp32 otherwise.
[[nodiscard]] inline at::ScalarType wide(at::ScalarType compute) {
  return compute == at::kDouble ? at::kDouble : at::kFloat;
}

/// y [.., h]: x / rms(x) * weight, in fp32 (or fp64), returned in x's dtype. rms(x) = sqrt(mean(x^2) + eps), RMSNorm
/// (Zhang & Sennrich 2019, eq. 4). weight: [h].
[[nodiscard]] at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// x [B, T, n d] -> [B, n, T, d], contiguous: each head's halves (x1, x2) become (x1 cos - x2 sin, x2 cos + x1 sin),
/// RoPE as LLaMA has it. cos, sin: [1 or B, 1, T, d] in wide(x's dtype), contiguous, both halves alike.
[[nodiscard]] at::Tensor rotated_heads(const at::Tensor& x, int64_t n_heads, const at::Tensor& cos,
                                       const at::Tensor& sin);

/// silu(gate) * up, both of one shape: SwiGLU (Shazeer 2020, eq. 6) without its matrices.
[[nodiscard]] at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up);

/// scores [B, n, T, S] -> softmax(scale * scores) over the keys that each query may see, 0 elsewhere, in scores' dtype.
/// Query t stands at `first` + t: it sees the keys up to its own that are not padding; on padding, itself alone.
/// `n_pads`: left padding per sequence, [B] int64, or for each position the first key that it sees, [B, S], or
/// undefined. `window`: it sees that many at most; 0: all of them.
/// Without gradients, `scores` are overwritten. REQUIRES: first + T <= S, scale > 0.
[[nodiscard]] at::Tensor causal_softmax(const at::Tensor& scores, double scale, int64_t first, const at::Tensor& n_pads,
                                        int64_t window = 0);

}  // namespace lowbit::lm
