#include "lm/hessian.h"

#include <cmath>

#include "lm/error.h"

namespace lowbit::lm {

namespace {

[[noreturn]] void cannot_factorize(int64_t n_features, const std::string& why) {
  throw Error(Status::numeric,
              {.what = "the second moments of a layer's inputs cannot be factorized",
               .where = "hessian of " + std::to_string(n_features) + " features",
               .why = why,
               .fix = "raise dampening_frac or give more calibration tokens; with NaN, compute in fp32"});
}

}  // namespace

Hessian::Hessian(int64_t n_features) : sum_(at::zeros({n_features, n_features}, at::kFloat)) {}

void Hessian::add(const at::Tensor& x, const at::Tensor& keep) {
  at::Tensor rows = x.reshape({-1, x.size(-1)});
  if (keep.defined()) rows = rows.index({keep.reshape({-1})});
  rows = rows.to(at::kFloat);
  sum_.addmm_(rows.t(), rows);
  n_tokens_ += rows.size(0);
}

at::Tensor Hessian::value() const { return sum_ * (2.0 / static_cast<double>(n_tokens_)); }

std::optional<at::Tensor> find_inverse_cholesky(const at::Tensor& hessian, double dampening_frac) {
  at::Tensor h = hessian.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  const double mean_diagonal = h.diagonal().mean().item<double>();
  if (!std::isfinite(mean_diagonal)) cannot_factorize(h.size(0), "it holds NaN or Inf");
  h.diagonal().add_(dampening_frac * mean_diagonal);
  // H = R R^T with R upper, by an ordinary Cholesky factorization of H turned upside down; then U = R^-1, since
  // (R R^T)^-1 = (R^-1)^T R^-1. One factorization and one triangular inverse instead of inverse and second
  // factorization.
  const auto [lower, info] = at::linalg_cholesky_ex(h.flip({0, 1}));
  if (info.item<int64_t>() != 0) return std::nullopt;
  const at::Tensor r = lower.flip({0, 1});
  const at::Tensor identity = at::eye(h.size(0), at::kDouble);
  return at::linalg_solve_triangular(r, identity, /*upper=*/true).to(at::kFloat).contiguous();
}

at::Tensor inverse_cholesky(const at::Tensor& hessian, double dampening_frac) {
  if (auto u = find_inverse_cholesky(hessian, dampening_frac)) return *u;
  cannot_factorize(hessian.size(0),
                   "damped by " + std::to_string(dampening_frac) + " of its mean diagonal it is not positive definite");
}

double relative_loss(const at::Tensor& error, const at::Tensor& weight, const at::Tensor& hessian) {
  const at::Tensor h = hessian.to(at::kFloat);
  const auto energy = [&](const at::Tensor& x) {
    const at::Tensor y = x.to(at::kFloat);
    return (at::mm(y, h) * y).sum(at::kDouble).item<double>();
  };
  const double loss = energy(error);
  return loss == 0 ? 0 : loss / energy(weight);
}

}  // namespace lowbit::lm
