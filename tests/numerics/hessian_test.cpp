#include "lm/hessian.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "numerics/support/files.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;

namespace {

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b.to(at::kDouble)).norm() / b.to(at::kDouble).norm()).item<double>();
}

}  // namespace

TEST_CASE("second moments equal 2 X X^T / N in fp64, in any order of the tokens", "[hessian]") {
  const at::Tensor x = test::normal({6, 50, 24}, 1).to(at::kFloat);
  const at::Tensor rows = x.reshape({300, 24}).to(at::kDouble);
  const at::Tensor exact = 2 * rows.t().mm(rows) / 300;
  lm::Hessian forward(24);
  lm::Hessian backward(24);
  for (int64_t i = 0; i < 6; ++i) {
    forward.add(x[i]);
    backward.add(x[5 - i].flip({0}));
  }
  CHECK(forward.n_tokens() == 300);
  CHECK(relative_difference(forward.value(), exact) < 1e-5);
  CHECK(relative_difference(backward.value(), forward.value()) < 1e-6);
}

TEST_CASE("bf16 inputs are multiplied exactly", "[hessian]") {
  const at::Tensor x = test::normal({200, 16}, 2).to(at::kBFloat16);
  const at::Tensor wide = x.to(at::kDouble);
  lm::Hessian hessian(16);
  hessian.add(x);
  CHECK(relative_difference(hessian.value(), 2 * wide.t().mm(wide) / 200) < 1e-6);
}

TEST_CASE("padding is left out of the second moments", "[hessian]") {
  const at::Tensor x = test::normal({2, 5, 8}, 3).to(at::kFloat);
  const at::Tensor keep = at::ones({2, 5}, at::kBool);
  keep[0].narrow(0, 0, 3).fill_(false);
  lm::Hessian masked(8);
  masked.add(x, keep);
  lm::Hessian real(8);
  real.add(x[0].narrow(0, 3, 2));
  real.add(x[1]);
  CHECK(masked.n_tokens() == 7);
  CHECK(relative_difference(masked.value(), real.value()) < 1e-6);
}

TEST_CASE("the factor is upper triangular and its square inverts the damped moments", "[hessian]") {
  const auto kind = GENERATE(test::Inputs::isotropic, test::Inputs::anisotropic, test::Inputs::low_rank);
  const at::Tensor h = test::second_moments(kind, 40, 200, 4);
  const at::Tensor u = lm::inverse_cholesky(h, 0.01).to(at::kDouble);
  CHECK(at::equal(u, u.triu()));
  at::Tensor damped = h.clone();
  damped.diagonal().add_(0.01 * h.diagonal().mean());
  // fp32 factor: 6e-8 relative, times the condition number of the damped matrix, at most (1 + 40 / 0.01).
  CHECK((u.t().mm(u).mm(damped) - at::eye(40, at::kDouble)).abs().max().item<double>() < 5e-4);
}

// Wide enough for several stripes and for every step of the recursion.
TEST_CASE("moments of many features are symmetric, and so is what is computed from half of them", "[hessian]") {
  const int64_t n = 2500;
  const at::Tensor x = test::normal({40, n}, 5).to(at::kFloat);
  lm::Hessian hessian(n);
  hessian.add(x.narrow(0, 0, 30));
  hessian.add(x.narrow(0, 30, 10));
  const at::Tensor h = hessian.value();
  CHECK(at::allclose(h, h.t(), 0, 1e-6));
  const at::Tensor rows = x.to(at::kDouble);
  CHECK(relative_difference(h, 2 * rows.t().mm(rows) / 40) < 1e-6);

  const at::Tensor w = test::normal({3, n}, 6);
  const at::Tensor e = test::normal({3, n}, 7) / 100;
  const double expected = (e.mm(rows.t()).square().sum() / w.mm(rows.t()).square().sum()).item<double>();
  CHECK(lm::relative_loss(e, w, h) == Approx(expected).epsilon(1e-4));
}

TEST_CASE("the factor of many features inverts them too", "[hessian]") {
  const int64_t n = GENERATE(256, 257, 700);
  const at::Tensor x = test::normal({2 * n, n}, 8);
  const at::Tensor h = x.t().mm(x) / n;
  const at::Tensor u = lm::inverse_cholesky(h, 0.01).to(at::kDouble);
  CHECK(at::equal(u, u.triu()));
  at::Tensor damped = h.clone();
  damped.diagonal().add_(0.01 * h.diagonal().mean());
  CHECK((u.t().mm(u).mm(damped) - at::eye(n, at::kDouble)).abs().max().item<double>() < 1e-4);
}

TEST_CASE("moments that cannot be factorized are refused", "[hessian]") {
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([] {
    (void)lm::inverse_cholesky(at::zeros({3, 3}), 0.01);
  }) == "the second moments of a layer's inputs cannot be factorized\n  where: hessian of 3 features\n"
        "  why: damped by 0.010000 of its mean diagonal it is not positive definite\n"
        "  fix: raise dampening_frac or give more calibration tokens; with NaN, compute in fp32");
  CHECK(dir.error_of([] {
    (void)lm::inverse_cholesky(at::full({3, 3}, std::nan("")), 0.01);
  }) == "the second moments of a layer's inputs cannot be factorized\n  where: hessian of 3 features\n"
        "  why: it holds NaN or Inf\n"
        "  fix: raise dampening_frac or give more calibration tokens; with NaN, compute in fp32");
}

TEST_CASE("the relative loss is the share of output energy", "[hessian]") {
  // X = I: H = 2 I / n, so the shares are those of the weights themselves.
  const at::Tensor w = at::tensor({3.0F, 4.0F}).unsqueeze(0);
  const at::Tensor e = at::tensor({0.3F, 0.4F}).unsqueeze(0);
  CHECK(lm::relative_loss(e, w, at::eye(2)) == Approx(0.01));
  CHECK(lm::relative_loss(at::zeros({1, 2}), at::zeros({1, 2}), at::eye(2)) == 0);
}
