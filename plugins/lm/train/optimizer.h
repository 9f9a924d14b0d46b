// Update rules over flat buffers and matrices. None of them knows about models; all state is in tensors that the caller
// can save.
#pragma once

#include <cstdint>

#include "lm/torch.h"

namespace lowbit::lm::train {

/// AdamW (Loshchilov and Hutter 2019): decay first and apart from the gradient, p -= lr wd p, then
/// p -= lr m^ / (sqrt(v^) + eps) with bias-corrected moments.
class AdamW {
 public:
  struct Options {
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    double weight_decay = 0;
  };
  /// `n_decayed`: the first so many of the buffer's n numbers are decayed.
  AdamW(Options options, int64_t n, int64_t n_decayed, at::ScalarType dtype = at::kFloat);

  /// values, gradient: [n]. `t` counts updates from 1.
  void step(at::Tensor& values, const at::Tensor& gradient, double lr, int64_t t);

  at::Tensor m, v;   // [n]
  at::Tensor scale;  // [n], times lr, which the decay leaves out; undefined: 1

 private:
  Options options_;
  int64_t n_decayed_;
};

/// Muon (Jordan et al. 2024) on one matrix: the Nesterov momentum of the gradient, its singular values pushed towards 1
/// by five Newton-Schulz steps, times sqrt(max(1, rows / columns)).
struct Muon {
  struct Options {
    double momentum = 0.95;
    double weight_decay = 0;            ///< decoupled, times lr
    at::ScalarType dtype = at::kFloat;  ///< of the Newton-Schulz products
  };
  /// Momentum, an average: b = momentum b + (1 - momentum) g; all changed in place. value, gradient, b: [m, n].
  static void step(at::Tensor& value, const at::Tensor& gradient, at::Tensor& b, double lr, const Options& options);
};

/// Five steps X <- 3.4445 X - 4.7750 (X X^T) X + 2.0315 (X X^T)^2 X from G / |G|_F: G = U S V^T becomes about U V^T.
/// The quintic is steep rather than exact: singular values end between about 0.7 and 1.2.
[[nodiscard]] at::Tensor orthogonalize(const at::Tensor& g, at::ScalarType dtype = at::kFloat);

/// Scales `gradient` down in place to `max_norm` when it is longer; 0: never. Returns the norm before.
/// Throws Error{numeric} when it is not finite.
double clip_norm(at::Tensor& gradient, double max_norm);

}  // namespace lowbit::lm::train
