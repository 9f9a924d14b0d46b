#include "lm/fold.h"

#include <catch2/catch.hpp>

#include "lm/model.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
using lm::Linear;

// A fold moves factors about: with fp64 tensors the block's output is the same to rounding.
TEST_CASE("a block computes the same after a fold, and its linears read inputs divided by s", "[fold]") {
  const std::string name = GENERATE(from_range(test::kReferenceModels));
  const auto dir = test::fixtures() / name;
  const auto weights = lm::Checkpoint::open(dir);
  const auto config = lm::read_model_config(dir);
  const lm::Positions positions(config, 0, 9, {}, at::kDouble);
  const at::Tensor x = test::normal({2, 9, config.hidden_size}, 1);
  const lm::BlockWeights before = lm::load_block(config, weights, 1, at::kDouble);
  uint64_t seed = 10;
  for (const Linear group : lm::linears(config)) {
    if (lm::input_group(config, group) != group) continue;
    CAPTURE(name, group);
    if (!lm::can_fold(config, group, /*tied=*/true)) {
      CHECK_FALSE(config.norm_first);
      CHECK((group == Linear::q || group == Linear::up));
      continue;
    }
    const at::Tensor s = (0.7 * test::normal({lm::fold_width(config, group)}, ++seed)).exp();
    lm::BlockWeights w = before;
    lm::fold(config, w, group, s);
    const auto output = [&](const lm::BlockWeights& weights_of, at::Tensor& input) {
      const auto tap = [&](Linear site, const at::Tensor& seen) {
        if (site == group) input = seen;
      };
      const at::Tensor middle = lm::attention_forward(config, weights_of, x, positions, nullptr, 0, tap);
      return lm::mlp_forward(config, weights_of, middle, tap);
    };
    at::Tensor input, folded_input;
    const at::Tensor expected = output(before, input);
    CHECK(test::max_difference(output(w, folded_input), expected) < 1e-10);
    CHECK(test::max_difference(folded_input * lm::fold_columns(config, group, s), input) < 1e-10);
    CHECK(test::max_difference(w[group], before[group]) > 1e-2);
  }
}

TEST_CASE("from v to o a scale goes only where no value head is shared, unless tied", "[fold]") {
  lm::ModelConfig config = test::small_config(8, 8);
  CHECK_FALSE(lm::can_fold(config, Linear::o));
  CHECK(lm::can_fold(config, Linear::o, /*tied=*/true));
  CHECK(lm::fold_width(config, Linear::o) == 4);
  // Two query heads of one value head: its scale stands for both.
  const at::Tensor s = at::tensor({1, 2, 3, 4}, at::kDouble);
  CHECK(at::equal(lm::fold_columns(config, Linear::o, s), at::tensor({1, 2, 3, 4, 1, 2, 3, 4}, at::kDouble)));
  config.n_kv_heads = 2;
  CHECK(lm::can_fold(config, Linear::o));
}
