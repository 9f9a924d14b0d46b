// Second moments of a linear layer's inputs, and the factor of their inverse that column-wise quantizers walk along.
#pragma once

#include <cstdint>
#include <optional>

#include "lm/torch.h"

namespace lowbit::lm {

/// Accumulates H = 2 / N * sum of x x^T over N token vectors, in fp32.
class Hessian {
 public:
  explicit Hessian(int64_t n_features, at::Device device = at::kCPU);
  /// x: [.., n]. `keep`: bool [..], true for real tokens; undefined: all are. Padding must be left out: it would weigh
  /// as much as text.
  void add(const at::Tensor& x, const at::Tensor& keep = {});
  [[nodiscard]] int64_t n_tokens() const { return n_tokens_; }
  [[nodiscard]] at::Tensor value() const;  ///< [n, n] fp32; REQUIRES: n_tokens() > 0

 private:
  at::Tensor sum_;  // [n, n]; below the diagonal only where value() does not look
  int64_t n_tokens_ = 0;
};

/// As inverse_cholesky(), but nothing when the damped matrix is not positive definite.
/// Throws Error{numeric} when it is not finite.
[[nodiscard]] std::optional<at::Tensor> find_inverse_cholesky(const at::Tensor& hessian, double dampening_frac);

/// U: upper triangular with U^T U = (H + dampening_frac * mean(diag H) * I)^-1, fp32 [n, n]; factorized in fp64.
/// Throws Error{numeric} when H is not finite or, damped, not positive definite.
[[nodiscard]] at::Tensor inverse_cholesky(const at::Tensor& hessian, double dampening_frac);

/// tr(E H E^T) / tr(W H W^T): the share of a layer's output energy that an error E of its weights W costs. 0 when both
/// are 0. E, W: [m, n]; H symmetric
[[nodiscard]] double relative_loss(const at::Tensor& error, const at::Tensor& weight, const at::Tensor& hessian);

}  // namespace lowbit::lm
