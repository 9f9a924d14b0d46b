#include "lm/hessian.h"

#include <algorithm>
#include <cmath>

#include "lm/error.h"

namespace lowbit::lm {
namespace {

// Second moments are symmetric: stripes of this many rows are computed from the diagonal on.
constexpr int64_t kStripe = 1024;

/// use(begin, length, rest) for rows [begin, begin + length) and so many columns behind them.
template <class Use>
void each_stripe(int64_t n, const Use& use) {
  for (int64_t begin = 0; begin < n; begin += kStripe) {
    const int64_t length = std::min(kStripe, n - begin);
    use(begin, length, n - begin - length);
  }
}

/// r, upper triangular, becomes its inverse: [[A, B], [0, C]]^-1 = [[A^-1, -A^-1 B C^-1], [0, C^-1]], for a third of
/// the multiplications that solving for the identity takes.
void invert_upper(const at::Tensor& r) {
  constexpr int64_t kLeaf = 256;
  const int64_t n = r.size(0);
  if (n <= kLeaf) {
    r.copy_(at::linalg_solve_triangular(r, at::eye(n, r.options()), /*upper=*/true));
    return;
  }
  const int64_t half = n / 2;
  const at::Tensor a = r.narrow(0, 0, half).narrow(1, 0, half);
  const at::Tensor b = r.narrow(0, 0, half).narrow(1, half, n - half);
  const at::Tensor c = r.narrow(0, half, n - half).narrow(1, half, n - half);
  const at::Tensor left = at::linalg_solve_triangular(a, b, /*upper=*/true);
  b.copy_(at::linalg_solve_triangular(c, left, /*upper=*/true, /*left=*/false).neg_());
  invert_upper(a);
  invert_upper(c);
}

[[noreturn]] void cannot_factorize(int64_t n_features, const std::string& why) {
  throw Error(Status::numeric,
              {.what = "the second moments of a layer's inputs cannot be factorized",
               .where = "hessian of " + std::to_string(n_features) + " features",
               .why = why,
               .fix = "raise dampening_frac or give more calibration tokens; with NaN, compute in fp32"});
}

}  // namespace

Hessian::Hessian(int64_t n_features, at::Device device)
    : sum_(at::zeros({n_features, n_features}, at::TensorOptions(device).dtype(at::kFloat))) {}

void Hessian::add(const at::Tensor& x, const at::Tensor& keep) {
  at::Tensor rows = x.reshape({-1, x.size(-1)});
  if (keep.defined()) rows = rows.index({keep.reshape({-1})});
  rows = rows.to(at::kFloat);
  each_stripe(sum_.size(0), [&](int64_t begin, int64_t length, int64_t rest) {
    at::Tensor stripe = sum_.narrow(0, begin, length).narrow(1, begin, length + rest);
    stripe.addmm_(rows.narrow(1, begin, length).t(), rows.narrow(1, begin, length + rest));
  });
  n_tokens_ += rows.size(0);
}

at::Tensor Hessian::value() const {
  at::Tensor h = sum_ * (2.0 / static_cast<double>(n_tokens_));
  each_stripe(h.size(0), [&](int64_t begin, int64_t length, int64_t rest) {
    const int64_t end = begin + length;
    h.narrow(0, end, rest).narrow(1, begin, length).copy_(h.narrow(0, begin, length).narrow(1, end, rest).t());
  });
  return h;
}

std::optional<at::Tensor> find_inverse_cholesky(const at::Tensor& hessian, double dampening_frac) {
  at::Tensor h = hessian.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  const double mean_diagonal = h.diagonal().mean().item<double>();
  if (!std::isfinite(mean_diagonal)) cannot_factorize(h.size(0), "it holds NaN or Inf");
  h.diagonal().add_(dampening_frac * mean_diagonal);
  // H = R R^T with R upper, by an ordinary Cholesky factorization of H turned upside down; then U = R^-1, since
  // (R R^T)^-1 = (R^-1)^T R^-1. One factorization and one triangular inverse instead of inverse and second
  // factorization.
  h = h.flip({0, 1});
  auto [lower, info] = at::linalg_cholesky_ex(h);
  h.reset();
  if (info.item<int64_t>() != 0) return std::nullopt;
  const at::Tensor r = lower.flip({0, 1}).contiguous();
  lower.reset();
  invert_upper(r);
  return r.to(at::kFloat);
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
    double sum = 0;
    each_stripe(h.size(0), [&](int64_t begin, int64_t length, int64_t rest) {
      const at::Tensor of_stripe = y.narrow(1, begin, length);
      const at::Tensor columns = h.narrow(1, begin, length);
      at::Tensor product = at::mm(of_stripe, columns.narrow(0, begin, length));
      if (rest > 0) {  // and the part above the diagonal, which is its mirror image
        const int64_t end = begin + length;
        product.addmm_(y.narrow(1, end, rest), columns.narrow(0, end, rest), 1, 2);
      }
      sum += (product * of_stripe).sum(at::kDouble).item<double>();
    });
    return sum;
  };
  const double loss = energy(error);
  return loss == 0 ? 0 : loss / energy(weight);
}

}  // namespace lowbit::lm
