// Gradient checkpointing: nothing but memory and time differs, to the bit.
#include "lm/train/checkpoint.h"

#include <catch2/catch.hpp>

#include "lm/quantized_model.h"
#include "lm/rtn.h"
#include "lm/train/lora.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
namespace train = lm::train;

namespace {

using Blocks = train::LoraModel::Blocks;

train::Batch some_rows(int64_t vocab_size) {
  std::vector<train::Sequence> rows(3);
  for (size_t b = 0; b < 3; ++b) {
    for (int64_t t = 0; t < 9 + 5 * static_cast<int64_t>(b); ++t) {
      rows[b].ids.push_back((5 * t * t + 3 * t + 11 * static_cast<int64_t>(b) + 1) % vocab_size);
      rows[b].scored.push_back(t >= 4);
    }
  }
  return train::collate({&rows[0], &rows[1], &rows[2]}, 0);
}

/// An adapter on every linear, B not zero, rows of two tokens.
lm::Adapter adapter_on(const lm::ModelConfig& config, const lm::WeightSource& base, double dropout) {
  std::vector<std::string> all;
  for (const lm::Linear linear : lm::linears(config)) all.push_back(lm::module_name(config, linear));
  auto adapter = train::new_adapter(
      config, base, {.rank = 3, .alpha = 6, .dropout = dropout, .targets = all, .token_ids = {5, 9}}, 5);
  uint64_t seed = 100;
  for (auto& [name, update] : adapter.updates) {
    update.b = (0.05 * test::normal(update.b.sizes(), ++seed)).to(at::kFloat);
  }
  return adapter;
}

/// Loss and gradient, the loss first.
at::Tensor numbers_of(const lm::ModelConfig& config, const lm::WeightSource& base, const lm::Adapter& adapter,
                      Blocks blocks, at::ScalarType matrices, int64_t n_threads) {
  const train::LoraModel model(config, base, adapter, {.matrices = matrices, .dtype = at::kFloat, .blocks = blocks});
  const train::Parameters parameters(model.initial());
  train::ThreadPool pool(n_threads);
  train::Gradients gradients(parameters, 2, pool);
  const train::Batch batch = some_rows(config.vocab_size);
  const double loss = gradients.compute([&](int64_t shard, const lm::NamedTensors& leaves) {
    return model.nll(leaves, batch, 7 + static_cast<uint64_t>(shard)).mean();
  });
  return at::cat({at::tensor({loss}, at::kDouble), gradients.total().to(at::kDouble)});
}

}  // namespace

TEST_CASE("blocks that are computed again give the same loss and gradients to the bit", "[train][checkpoint]") {
  const auto directory = test::fixtures() / GENERATE(from_range(test::kReferenceModels));
  const double dropout = GENERATE(0.0, 0.3);
  const auto matrices = GENERATE(at::kFloat, at::kBFloat16);
  INFO(directory.string() << ", dropout " << dropout);
  const lm::ModelConfig config = lm::read_model_config(directory);
  const auto base = lm::open_weights(directory);
  const auto adapter = adapter_on(config, *base, dropout);
  const at::Tensor kept = numbers_of(config, *base, adapter, Blocks::resident, matrices, 1);
  REQUIRE(kept.narrow(0, 1, kept.numel() - 1).norm().item<double>() > 1e-6);
  CHECK(at::equal(kept, numbers_of(config, *base, adapter, Blocks::recomputed, matrices, 1)));
  CHECK(at::equal(kept, numbers_of(config, *base, adapter, Blocks::recomputed, matrices, 2)));
}

TEST_CASE("packed blocks that are dequantized twice give the same bits too", "[train][checkpoint]") {
  const auto directory = test::fixtures() / "random-untied";
  const test::ScratchDirectory dir;
  const lm::ModelConfig config = lm::read_model_config(directory);
  const auto plain = lm::Checkpoint::open(directory);
  const lm::GridOptions grid{.num_bits = 4, .group_size = 16};
  lm::QuantizedModelWriter out(directory, dir.path(), plain, config,
                               {.method = "rtn", .grid = grid, .activations = {}});
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    for (const lm::Linear linear : lm::linears(config)) {
      const at::Tensor w = plain.tensor(lm::linear_name(config, block, linear)).to(at::kFloat);
      out.add(block, linear, lm::quantize_rtn(w, grid), w);
    }
    out.finish_block(block);
  }
  (void)out.finish();
  const auto base = lm::open_weights(dir.path());
  const auto adapter = adapter_on(config, *base, 0.1);
  CHECK(at::equal(numbers_of(config, *base, adapter, Blocks::resident, at::kFloat, 2),
                  numbers_of(config, *base, adapter, Blocks::recomputed, at::kFloat, 2)));
}

TEST_CASE("a checkpointed part is computed once without gradients and twice with them", "[train][checkpoint]") {
  int n_calls = 0;
  const train::Part part = [&](const at::Tensor& x, const lm::NamedTensors& leaves) {
    ++n_calls;
    return (x * leaves.at("w")).square();
  };
  const at::Tensor w = at::tensor({3.0}, at::kDouble).requires_grad_(true);
  const at::Tensor x = at::tensor({2.0}, at::kDouble);
  {
    const at::NoGradGuard none;
    CHECK(train::checkpointed(part, x, {{"w", w}}).item<double>() == 36);
  }
  CHECK(n_calls == 1);
  n_calls = 0;
  const at::Tensor y = train::checkpointed(part, x, {{"w", w}});
  CHECK(n_calls == 1);
  y.backward();
  CHECK(n_calls == 2);
  CHECK(w.grad().item<double>() == 24);  // 2 (x w) x
  CHECK_FALSE(x.grad().defined());
  // x and w both: 2 (x w) w
  const at::Tensor trained_x = x.clone().requires_grad_(true);
  train::checkpointed(part, trained_x, {{"w", w}}).backward();
  CHECK(trained_x.grad().item<double>() == 36);
  // What goes wrong in the part is heard.
  const train::Part broken = [&](const at::Tensor&, const lm::NamedTensors&) -> at::Tensor {
    throw std::runtime_error("no");
  };
  CHECK_THROWS_AS(train::checkpointed(broken, trained_x, {}), std::runtime_error);
}
