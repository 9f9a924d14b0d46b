#include "lm/product.h"

#include <catch2/catch.hpp>

#include "numerics/support/slow_quant.h"

using namespace lowbit;

// Rows and widths on both sides of where the way of computing changes.
TEST_CASE("a product with weights is the exact one rounded to its dtype", "[product]") {
  const at::ScalarType dtype = GENERATE(at::kFloat, at::kBFloat16, at::kDouble);
  const int64_t n_rows = GENERATE(1, 8, 9, 40);
  const bool with_bias = GENERATE(false, true);
  const c10::InferenceMode no_gradients;
  const at::Tensor x = test::normal({n_rows, 300}, 1).to(dtype);
  const at::Tensor w = test::normal({130, 300}, 2).to(dtype);
  const at::Tensor bias = test::normal({130}, 3).to(dtype);
  const at::Tensor y = lm::linear_product(x, w, with_bias ? bias : at::Tensor());
  CHECK(y.scalar_type() == dtype);
  at::Tensor exact = x.to(at::kDouble).mm(w.to(at::kDouble).t());
  if (with_bias) exact = exact + bias.to(at::kDouble);
  // bf16: half a unit of its last place, 2^-8; fp32: 300 additions of numbers of size one.
  const double relative = dtype == at::kBFloat16 ? 1.0 / 256 : 0;
  CHECK(at::allclose(y.to(at::kDouble), exact, relative, 5e-5));
}

TEST_CASE("the shape of the rows stays", "[product]") {
  const c10::InferenceMode no_gradients;
  const at::Tensor x = test::normal({2, 3, 16}, 1).to(at::kFloat);
  const at::Tensor w = test::normal({5, 16}, 2).to(at::kFloat);
  CHECK(lm::linear_product(x, w).sizes() == at::IntArrayRef({2, 3, 5}));
  CHECK(lm::linear_product(x.narrow(0, 0, 0), w).sizes() == at::IntArrayRef({0, 3, 5}));
}

TEST_CASE("few rows are each multiplied as if they were alone", "[product]") {
  const at::ScalarType dtype = GENERATE(at::kFloat, at::kBFloat16);
  const c10::InferenceMode no_gradients;
  const at::Tensor x = test::normal({8, 300}, 1).to(dtype);
  const at::Tensor w = test::normal({130, 300}, 2).to(dtype);
  const at::Tensor all = lm::linear_product(x, w);
  for (int64_t r = 0; r < 8; ++r) CHECK(at::equal(lm::linear_product(x.narrow(0, r, 1), w), all.narrow(0, r, 1)));
}

TEST_CASE("where gradients are wanted products are libtorch's", "[product]") {
  const at::Tensor x = test::normal({2, 16}, 1).to(at::kFloat).requires_grad_(true);
  const at::Tensor w = test::normal({5, 16}, 2).to(at::kFloat);
  CHECK(lm::product_dtype(at::zeros({1}, at::kBFloat16)) == at::kBFloat16);
  CHECK(at::equal(lm::linear_product(x, w), at::linear(x, w)));
  CHECK(lm::linear_product(x, w).requires_grad());
}
