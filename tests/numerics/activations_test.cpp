#include "lm/activations.h"

#include <catch2/catch.hpp>
#include <limits>

#include "lm/model.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
using lm::ActivationGrid;
using Strategy = lm::ActivationGrid::Strategy;

namespace {

/// Weights as they are, with rules of their own.
class Ruled final : public lm::WeightSource {
 public:
  Ruled(const lm::Checkpoint& base, lm::ActivationRules rules) : base_(base), rules_(std::move(rules)) {}
  [[nodiscard]] std::vector<std::string> names() const override { return base_.names(); }
  [[nodiscard]] bool contains(std::string_view name) const override { return base_.contains(name); }
  [[nodiscard]] at::Tensor tensor(std::string_view name) const override { return base_.tensor(name); }
  [[nodiscard]] int64_t stored_bytes() const override { return base_.stored_bytes(); }
  [[nodiscard]] int64_t code_bits(std::string_view name) const override { return base_.code_bits(name); }
  [[nodiscard]] const lm::ActivationRules* activation_rules() const override { return &rules_; }

 private:
  const lm::Checkpoint& base_;
  lm::ActivationRules rules_;
};

double squared_error(const at::Tensor& a, const at::Tensor& b) { return (a - b).square().sum().item<double>(); }

}  // namespace

TEST_CASE("activations are moved to the levels of their grid", "[activations]") {
  const at::Tensor x = at::tensor({-7.0, 3.4, 0.5, 1.5, 0.0, 0.0, 0.0, 0.0}, at::kDouble).view({1, 2, 4});
  // Symmetric, 4 bits: levels -7 .. 7 times 7 / 7; ties go to the even level. A row of zeros stays.
  const ActivationGrid symmetric{.num_bits = 4};
  CHECK(at::equal(lm::round_activations(x, symmetric).flatten(),
                  at::tensor({-7.0, 3.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0}, at::kDouble)));
  // Asymmetric: 16 levels over [-7, 3.4], with zero among them: the independent grid of the weight quantizers.
  const ActivationGrid asymmetric{.num_bits = 4, .symmetric = false};
  const lm::GridOptions as_weights{.num_bits = 4, .scale_dtype = at::kFloat};
  const at::Tensor row = x[0].narrow(0, 0, 1);
  CHECK(test::max_difference(lm::round_activations(row, asymmetric), test::slow_rtn(row, as_weights).values) < 1e-6);
  // A fixed range clamps.
  const ActivationGrid fixed{.num_bits = 4, .symmetric = true, .strategy = Strategy::tensor};
  CHECK(test::max_difference(lm::round_activations(x, fixed, {-1, 2.8})[0][0],
                             at::tensor({-2.8, 2.8, 0.4, 1.6}, at::kDouble)) < 1e-12);
}

TEST_CASE("rounding is idempotent, as close as its step, and finer with more bits", "[activations]") {
  const at::Tensor x = test::normal({3, 5, 64}, 1) * (2 * test::normal({1, 1, 64}, 2)).exp();
  const bool symmetric = GENERATE(true, false);
  CAPTURE(symmetric);
  double previous = std::numeric_limits<double>::infinity();
  for (const int num_bits : {2, 4, 6, 8, 16}) {
    const ActivationGrid grid{.num_bits = num_bits, .symmetric = symmetric};
    const at::Tensor rounded = lm::round_activations(x, grid);
    CHECK(test::max_difference(lm::round_activations(rounded, grid), rounded) < 1e-9);
    const at::Tensor width = symmetric ? 2 * x.abs().amax(-1, true) : x.amax(-1, true) - x.amin(-1, true);
    // The zero point of an asymmetric grid is rounded too: the ends of the range may be clipped by half a step.
    const double n_steps = std::exp2(num_bits) - (symmetric ? 2 : 1);
    CHECK(((rounded - x).abs() <= width / n_steps * (symmetric ? 0.5 : 1) * (1 + 1e-9)).all().item<bool>());
    const double error = squared_error(rounded, x);
    CHECK(error < previous);
    previous = error;
  }
  CHECK(previous < 1e-8 * x.square().sum().item<double>());
}

TEST_CASE("ranges shared by fewer numbers cost less", "[activations]") {
  const at::Tensor x = test::normal({2, 9, 32}, 3) * (1.5 * test::normal({2, 9, 1}, 4)).exp();
  const auto error = [&](const ActivationGrid& grid) {
    const lm::Range range{x.min().item<double>(), x.max().item<double>()};
    return squared_error(lm::round_activations(x, grid, range), x);
  };
  const double by_tensor = error({.num_bits = 4, .strategy = Strategy::tensor});
  const double by_token = error({.num_bits = 4, .strategy = Strategy::token});
  const double by_group = error({.num_bits = 4, .strategy = Strategy::group, .group_size = 8});
  CHECK(by_token < by_tensor);
  CHECK(by_group < by_token);
  CHECK(error({.num_bits = 4, .strategy = Strategy::group, .group_size = 32}) == by_token);
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([&] {
    (void)lm::round_activations(x, {.num_bits = 4, .strategy = Strategy::group, .group_size = 5});
  }) == "activations cannot be rounded to this grid\n  where: activations\n"
        "  why: group_size 5 does not divide the width 32\n"
        "  fix: use 2 to 16 bits and a group size that divides what is rounded");
}

TEST_CASE("columns with outliers stay as they are and do not widen the ranges of others", "[activations]") {
  at::Tensor x = test::normal({2, 6, 16}, 5);
  x[0].select(1, 3) *= 50;
  const ActivationGrid grid{.num_bits = 8};
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(at::equal(lm::round_but_outliers(x, grid, infinity), lm::round_activations(x, grid)));
  CHECK(at::equal(lm::round_but_outliers(x, grid, 0), x));
  const at::Tensor y = lm::round_but_outliers(x, grid, 6);
  CHECK(at::equal(y[0].select(1, 3), x[0].select(1, 3)));
  at::Tensor without = x.clone();
  without[0].select(1, 3) = 0;
  at::Tensor expected = lm::round_activations(without, grid);
  expected[0].select(1, 3) = x[0].select(1, 3);
  CHECK(at::equal(y, expected));
  CHECK(at::equal(lm::round_but_outliers(x.narrow(0, 1, 1), grid, 6)[0], y[1]));  // alone or beside another sequence
}

TEST_CASE("padding makes no column an outlier", "[activations]") {
  at::Tensor x = test::normal({2, 6, 16}, 5);
  const at::Tensor alone = lm::round_but_outliers(x.narrow(0, 0, 1).narrow(1, 2, 4), {.num_bits = 4}, 6);
  x[0][0] *= 50;
  x[0][1] *= 50;
  const at::Tensor real = at::ones({2, 6}, at::kBool);
  real[0].narrow(0, 0, 2).fill_(false);
  CHECK(at::equal(lm::round_but_outliers(x, {.num_bits = 4}, 6, real)[0].narrow(0, 2, 4), alone[0]));

  // A short sequence beside a long one, in a model.
  const auto dir = test::fixtures() / "random-untied";
  const auto weights = lm::Checkpoint::open(dir);
  const auto config = lm::read_model_config(dir);
  const Ruled ruled(weights, {.inputs = ActivationGrid{.num_bits = 4}, .outlier_threshold = 1.5});
  const lm::Model model(config, ruled, at::kDouble);
  const at::Tensor batch = at::cat({test::ids_of({0, 0, 0, 4, 9, 20, 33}), test::ids_of({7, 3, 1, 8, 2, 5, 30})});
  const at::Tensor beside = model.forward(batch, at::tensor({3, 0}, at::kLong));
  CHECK(test::max_difference(beside[0].narrow(0, 3, 4), model.forward(test::ids_of({4, 9, 20, 33}))[0]) < 1e-9);
  CHECK(test::max_difference(beside[1], model.forward(batch.narrow(0, 1, 1))[0]) < 1e-9);
}

TEST_CASE("gradients pass through rounding", "[activations]") {
  const at::Tensor x = test::normal({1, 3, 8}, 6).requires_grad_(true);
  const at::Tensor y = lm::round_activations(x, {.num_bits = 4});
  CHECK(at::equal(y.detach(), lm::round_activations(x.detach(), {.num_bits = 4})));
  (y * 3).sum().backward();
  CHECK(test::max_difference(x.grad(), at::full_like(x, 3)) == 0);
}

TEST_CASE("a model rounds what its rules say, with and without a cache", "[activations]") {
  const std::string name = GENERATE(from_range(test::kReferenceModels));
  CAPTURE(name);
  const auto dir = test::fixtures() / name;
  const auto weights = lm::Checkpoint::open(dir);
  const auto config = lm::read_model_config(dir);
  const at::Tensor ids = test::ids_of({1, 4, 9, 20, 33, 8, 2, 5});
  const auto hidden = [&](const lm::ActivationRules& rules) {
    const Ruled ruled(weights, rules);
    return lm::Model(config, ruled, at::kDouble).forward(ids);
  };
  const at::Tensor exact = lm::Model(config, weights, at::kDouble).forward(ids);
  const double size = exact.abs().max().item<double>();
  const auto rules = [](int num_bits) {
    const ActivationGrid grid{.num_bits = num_bits};
    return std::vector<lm::ActivationRules>{{.inputs = grid}, {.qkv_outputs = grid}, {.kv_cache = grid}};
  };
  // 16 bits err by 2^-16 of a row's largest number (1.5e-5), in at most 3 blocks of weights that amplify it some 10
  // times; 3 bits by 1/6. (measured: 1e-3 and 0.03 at least)
  for (const auto& rule : rules(16)) CHECK(test::max_difference(hidden(rule), exact) < 5e-3 * size);
  for (const auto& rule : rules(3)) CHECK(test::max_difference(hidden(rule), exact) > 5e-3 * size);

  // Two roundings in a row (outputs of v, then values by head) would meet exact ties, which noise of 1e-16 decides.
  const ActivationGrid grid{.num_bits = 4};
  for (const lm::ActivationRules& rule :
       {lm::ActivationRules{.inputs = grid, .kv_cache = grid}, lm::ActivationRules{.qkv_outputs = grid}}) {
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
      const Ruled ruled(weights, rule);
      const lm::Model model(config, ruled, dtype);
      lm::KvCache cache(config, 1, 8, dtype);
      std::vector<at::Tensor> steps{model.forward(ids.narrow(1, 0, 3), {}, &cache)};
      for (int64_t t = 3; t < 8; ++t) steps.push_back(model.forward(ids.narrow(1, t, 1), {}, &cache));
      if (dtype == at::kDouble) CHECK(test::max_difference(at::cat(steps, 1), model.forward(ids)) < 1e-9);
      CHECK(at::isfinite(at::cat(steps, 1)).all().item<bool>());
    }
  }
}

TEST_CASE("fixed ranges belong to the groups of linears", "[activations]") {
  const auto dir = test::fixtures() / "random-untied";
  const auto weights = lm::Checkpoint::open(dir);
  const auto config = lm::read_model_config(dir);
  lm::ActivationRules rules{.inputs = ActivationGrid{.num_bits = 8, .strategy = Strategy::tensor}};
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    for (const char* module : {"self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj"}) {
      rules.ranges["model.layers." + std::to_string(block) + "." + module] = {-4, 4};
    }
  }
  const test::ScratchDirectory scratch;
  const auto load = [&] { (void)lm::Model(config, Ruled(weights, rules), at::kFloat); };
  CHECK(scratch.error_of(load) ==
        "a fixed range of activations is missing\n  where: model.layers.0.mlp.down_proj\n"
        "  why: activations are rounded within ranges fixed beforehand, and this has none\n  fix: quantize the model "
        "again");
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    rules.ranges["model.layers." + std::to_string(i) + ".mlp.down_proj"] = {-9, 9};
  }
  CHECK_NOTHROW(load());
}

TEST_CASE("rules are read back as they were written", "[activations]") {
  const lm::ActivationRules rules{
      .inputs = ActivationGrid{.num_bits = 6, .symmetric = false, .strategy = Strategy::tensor},
      .outlier_threshold = 6.0,
      .qkv_outputs = ActivationGrid{.num_bits = 8, .symmetric = true, .strategy = Strategy::token},
      .kv_cache = ActivationGrid{.num_bits = 4, .symmetric = false, .strategy = Strategy::group, .group_size = 32},
      .ranges = {{"model.layers.0.mlp.down_proj", {-1.5, 2.25}}}};
  const auto json = lm::to_json(rules);
  CHECK(lm::to_json(lm::read_activation_rules(json, "quantization.json")) == json);
  const test::ScratchDirectory dir;
  auto wrong = json;
  wrong["inputs"]["strategy"] = "channel";
  CHECK(dir.error_of([&] { (void)lm::read_activation_rules(wrong, "quantization.json"); }) ==
        "malformed rules for activations\n  where: quantization.json\n  why: strategy channel is unknown\n"
        "  fix: quantize the model again");
}
