// The products of activations with weights, where libtorch 1.13 leaves most of a processor idle: few rows (generation),
// and bf16 on processors without AVX-512, which it multiplies one number at a time.
//
// Precision: sums are taken in fp32 (in fp64 for fp64) and rounded to the dtype once, whichever way is taken. Only
// under c10::InferenceMode; elsewhere libtorch's own operations are called, so that nothing that is trained changes.
// Thread rule: free functions without state.
#pragma once

#include "lm/torch.h"

namespace lowbit::lm {

/// x [.., in] -> x w^T + bias [.., out]. w: [out, in]; bias: [out] or undefined; all of one dtype.
[[nodiscard]] at::Tensor linear_product(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias = {});

/// The dtype in which matrices like `x` are best multiplied where it lies, products rounded to its dtype afterwards:
/// fp32 for bf16 on a processor for which libtorch has no fast product, otherwise its own.
[[nodiscard]] at::ScalarType product_dtype(const at::Tensor& x);

}  // namespace lowbit::lm
