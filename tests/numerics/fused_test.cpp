// The law: an operation in one pass over fp32 is the one composed of libtorch's operations in fp64, in value and in
// every gradient, whatever the layout of what it is given. Numbers are of size one: fp32 errs by some 1e-6 of it.
#include <catch2/catch.hpp>
#include <functional>
#include <vector>

#include "lm/fused.h"
#include "lm/model.h"
#include "support/models.h"

using namespace lowbit;

namespace {

using Operation = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

double max_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

/// Value and gradients of a random functional of it, with inputs in `dtype`.
std::vector<at::Tensor> value_and_gradients(const Operation& operation, const std::vector<at::Tensor>& inputs,
                                            at::ScalarType dtype) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.to(dtype, false, /*copy=*/true).requires_grad_(true));
  std::vector<at::Tensor> results{operation(leaves)};
  const at::Tensor direction = at::arange(results[0].numel(), at::kDouble).mul(0.7).sin().view(results[0].sizes());
  (results[0] * direction.to(dtype)).sum().backward();
  for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
  results[0] = results[0].detach();
  return results;
}

void check_both_ways(const Operation& operation, const std::vector<at::Tensor>& inputs) {
  const auto expected = value_and_gradients(operation, inputs, at::kDouble);
  const auto found = value_and_gradients(operation, inputs, at::kFloat);
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i].scalar_type() == at::kFloat);
    CHECK(max_difference(found[i], expected[i]) < 1e-5 * std::max(1.0, expected[i].abs().max().item<double>()));
  }
  std::vector<at::Tensor> plain;
  for (const at::Tensor& input : inputs) plain.push_back(input.to(at::kFloat));
  const c10::InferenceMode no_gradients;
  CHECK(at::equal(operation(plain), found[0]));  // what is evaluated is what was trained, to the bit
}

at::Tensor numbers(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }

}  // namespace

TEST_CASE("one pass gives value and gradients of the composed operations", "[fused]") {
  at::manual_seed(3);
  SECTION("RMSNorm") {
    check_both_ways([](const auto& in) { return lm::rms_norm(in[0], in[1], 1e-5); },
                    {numbers({2, 5, 36}), numbers({36})});
    check_both_ways([](const auto& in) { return lm::rms_norm(in[0].transpose(0, 1), in[1], 1e-5); },
                    {numbers({2, 5, 36}), numbers({36})});
  }
  SECTION("rotated heads, positions alike or by sequence") {
    const lm::ModelConfig config = test::small_config(8, 12);  // head dim 4
    for (const bool padded : {false, true}) {
      const at::Tensor n_pads = padded ? at::tensor({0, 3}, at::kLong) : at::Tensor();
      check_both_ways(
          [&](const auto& in) {
            const lm::Positions positions(config, 2, 5, n_pads, in[0].scalar_type());
            return lm::rotated_heads(in[0], 3, positions.cos, positions.sin);
          },
          {numbers({2, 5, 12})});
    }
  }
  SECTION("SwiGLU") {
    check_both_ways([](const auto& in) { return lm::swiglu(in[0], in[1]); },
                    {numbers({2, 5, 21}), numbers({2, 5, 21})});
    check_both_ways([](const auto& in) { return lm::swiglu(in[0].t(), in[1]); }, {numbers({21, 5}), numbers({5, 21})});
  }
  SECTION("causal softmax, from the start or later, with and without padding") {
    for (const int64_t first : {0, 4}) {
      check_both_ways([&](const auto& in) { return lm::causal_softmax(in[0] + 0, 0.3, first, {}); },
                      {numbers({2, 3, 5, first + 7})});  // keys behind the last query
      check_both_ways([&](const auto& in) { return lm::causal_softmax(in[0] + 0, 0.3, first, {}); },
                      {numbers({2, 3, 1, first + 2})});
      for (const bool padded : {false, true}) {
        const at::Tensor n_pads = padded ? at::tensor({0, 3}, at::kLong) : at::Tensor();
        for (const int64_t window : {0, 1, 3}) {
          check_both_ways([&](const auto& in) { return lm::causal_softmax(in[0] + 0, 0.3, first, n_pads, window); },
                          {numbers({2, 3, 5, first + 5})});
        }
      }
    }
  }
}

TEST_CASE("an input that needs no gradient gets none, and the other its own", "[fused]") {
  at::manual_seed(4);
  const at::Tensor weight = numbers({36});
  check_both_ways([&](const auto& in) { return lm::rms_norm(in[0], weight.to(in[0].scalar_type()), 1e-5); },
                  {numbers({7, 36})});
  const at::Tensor up = numbers({7, 36});
  check_both_ways([&](const auto& in) { return lm::swiglu(in[0], up.to(in[0].scalar_type())); }, {numbers({7, 36})});
}

TEST_CASE("rows shared among threads give the same numbers", "[fused]") {
  at::manual_seed(5);
  const at::Tensor x = at::randn({500, 300});  // several times what is worth a thread
  const at::Tensor weight = at::randn({300});
  const c10::InferenceMode no_gradients;
  const at::Tensor whole = lm::rms_norm(x, weight, 1e-5);
  for (const int64_t row : {0, 100, 250, 499}) CHECK(at::equal(lm::rms_norm(x[row], weight, 1e-5), whole[row]));
}

TEST_CASE("shapes that do not fit are refused", "[fused]") {
  CHECK_THROWS_AS(lm::rms_norm(at::ones({2, 8}), at::ones({1}), 1e-5), c10::Error);
  CHECK_THROWS_AS(lm::swiglu(at::ones({2, 8}), at::ones({1, 8})), c10::Error);
  CHECK_THROWS_AS(lm::causal_softmax(at::ones({1, 1, 3, 2}), 1, 0, {}), c10::Error);
  CHECK(lm::swiglu(at::ones({3, 0}), at::ones({3, 0})).numel() == 0);
}

TEST_CASE("a query sees nothing behind itself and no padding, padding itself alone", "[fused]") {
  const at::Tensor n_pads = at::tensor({2}, at::kLong);
  const at::Tensor weights = lm::causal_softmax(at::zeros({1, 1, 4, 4}), 1, 0, n_pads);
  const at::Tensor expected = at::tensor({1.0, 0.0, 0.0, 0.0,    //
                                          0.0, 1.0, 0.0, 0.0,    //
                                          0.0, 0.0, 1.0, 0.0,    //
                                          0.0, 0.0, 0.5, 0.5});  //
  CHECK(at::equal(weights.flatten(), expected.to(at::kFloat)));
}

TEST_CASE("a query sees no further than its window", "[fused]") {
  const at::Tensor expected = at::tensor({1.0, 0.0, 0.0, 0.0,    //
                                          0.5, 0.5, 0.0, 0.0,    //
                                          0.0, 0.5, 0.5, 0.0,    //
                                          0.0, 0.0, 0.5, 0.5});  //
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    const at::Tensor scores = at::zeros({1, 1, 4, 4}, dtype);
    CHECK(at::equal(lm::causal_softmax(scores, 1, 0, {}, 2).flatten(), expected.to(dtype)));
  }
}
