#include "lm/awq.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "lm/fold.h"
#include "lm/perplexity.h"
#include "lm/quantized_model.h"
#include "lm/rtn.h"
#include "lm/tokenizer.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"
#include "quantizer-awq/awq_model.h"
#include "quantizer-gptq/gptq_model.h"

using namespace lowbit;
using lm::GridOptions;
using lm::Linear;

namespace {

GridOptions open_grid(int num_bits, int64_t group_size) {
  return {.num_bits = num_bits, .group_size = group_size, .include_zero = false, .scale_dtype = at::kFloat};
}

lm::TokenBatches awq_windows(int64_t n, int64_t length) {
  lm::TokenBatches batches;
  batches.ids = (at::arange(n * length, at::kLong) * 29 + 11).remainder(37).view({n, length});
  batches.vocab_size = 37;
  return batches;
}

struct LoadedModel {
  explicit LoadedModel(const std::string& name, at::ScalarType dtype = at::kFloat)
      : dir(test::fixtures() / name),
        config(lm::read_model_config(dir)),
        weights(lm::Checkpoint::open(dir)),
        model(config, weights, dtype, lm::Model::Blocks::streaming) {}
  [[nodiscard]] lm::BlockWeights block(int64_t i, at::ScalarType dtype) const {
    return lm::load_block(config, weights, i, dtype);
  }
  std::filesystem::path dir;
  lm::ModelConfig config;
  lm::Checkpoint weights;
  lm::Model model;
};

/// A group's weights on the grid of their own range, which need not contain zero; plainly, in fp64.
void slow_round(std::vector<double>& w, int num_bits) {
  const double top = std::pow(2.0, num_bits) - 1;
  double low = *std::min_element(w.begin(), w.end());
  double high = *std::max_element(w.begin(), w.end());
  if (low == high) {
    low = std::min(low, 0.0);
    high = std::max(high, 0.0);
  }
  if (low == high) return;
  const double step = (high - low) / top;
  const double zero = std::min(std::max(std::nearbyint(-low / step), 0.0), top);
  for (double& x : w) x = step * (std::min(std::max(std::nearbyint(x / step) + zero, 0.0), top) - zero);
}

/// Q(w diag(s)) diag(s)^-1, fp64.
at::Tensor slow_rounded(const at::Tensor& w, const at::Tensor& s, const GridOptions& grid) {
  at::Tensor result = w.to(at::kDouble).clone();
  auto value = result.accessor<double, 2>();
  const auto scale = s.accessor<double, 1>();
  const int64_t width = lm::group_width(grid, w.size(1));
  for (int64_t r = 0; r < w.size(0); ++r) {
    for (int64_t begin = 0; begin < w.size(1); begin += width) {
      std::vector<double> group;
      const int64_t end = std::min(begin + width, w.size(1));
      for (int64_t j = begin; j < end; ++j) group.push_back(value[r][j] * scale[j]);
      slow_round(group, grid.num_bits);
      for (int64_t j = begin; j < end; ++j) value[r][j] = group[static_cast<size_t>(j - begin)] / scale[j];
    }
  }
  return result;
}

struct SlowClip {
  at::Tensor ratio, loss, unclipped_loss;  // fp64 [m, G]
};
/// Every ratio for every row and group, loss summed token by token.
SlowClip slow_clip(const at::Tensor& weight, const at::Tensor& tokens, const GridOptions& grid) {
  const at::Tensor w = weight.to(at::kDouble);
  const at::Tensor x = tokens.to(at::kDouble);
  const int64_t n = w.size(1);
  const int64_t width = lm::group_width(grid, n);
  const int64_t n_groups = (n + width - 1) / width;
  SlowClip result{at::ones({w.size(0), n_groups}, at::kDouble), at::zeros({w.size(0), n_groups}, at::kDouble), {}};
  result.unclipped_loss = result.loss.clone();
  for (int64_t r = 0; r < w.size(0); ++r) {
    for (int64_t g = 0; g < n_groups; ++g) {
      const int64_t length = std::min(width, n - g * width);
      const at::Tensor group = w[r].narrow(0, g * width, length);
      const at::Tensor inputs = x.narrow(1, g * width, length);
      double least = std::numeric_limits<double>::infinity();
      for (int i = 0; i < 10; ++i) {
        const double bound = (1 - i / 20.0) * group.abs().max().item<double>();
        std::vector<double> values;
        for (int64_t j = 0; j < length; ++j) {
          values.push_back(std::min(std::max(group[j].item<double>(), -bound), bound));
        }
        slow_round(values, grid.num_bits);
        const double loss = inputs.mv(at::tensor(values, at::kDouble) - group).square().mean().item<double>();
        if (i == 0) result.unclipped_loss[r][g] = loss;
        if (loss >= least) continue;
        least = loss;
        result.ratio[r][g] = 1 - i / 20.0;
        result.loss[r][g] = loss;
      }
    }
  }
  return result;
}

/// All real inputs of a group in a plain forward pass of the block: fp64 [N, in].
at::Tensor plain_inputs(const lm::ModelConfig& config, const lm::BlockWeights& w, const at::Tensor& x,
                        const lm::Positions& positions, Linear group) {
  at::Tensor inputs;
  const auto tap = [&](Linear site, const at::Tensor& seen) {
    if (site == group) inputs = seen.reshape({-1, seen.size(-1)});
  };
  (void)lm::mlp_forward(config, w, lm::attention_forward(config, w, x, positions, nullptr, 0, tap), tap);
  return inputs;
}

std::vector<Linear> members(const lm::ModelConfig& config, Linear group) {
  std::vector<Linear> result;
  for (const Linear linear : lm::linears(config)) {
    if (lm::input_group(config, linear) == group) result.push_back(linear);
  }
  return result;
}

double largest_relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return test::max_difference(a, b) / b.abs().max().item<double>();
}

}  // namespace

TEST_CASE("the largest and the smallest scale multiply to one, and the exponent 0 scales nothing", "[awq]") {
  const at::Tensor mean = (2 * test::normal({96}, 1)).exp();
  const at::Tensor of_weights = test::uniform({96}, 2);
  for (int i = 0; i < 20; ++i) {
    const double r = i / 20.0;
    for (const at::Tensor& weight_mean : {at::Tensor(), of_weights}) {
      const at::Tensor s = lm::awq_scale(mean, weight_mean, r);
      CHECK(s.scalar_type() == at::kFloat);
      CHECK((s.max() * s.min()).item<double>() == Approx(1).epsilon(1e-6));
      const at::Tensor raw = weight_mean.defined() ? mean.pow(r) / (weight_mean.pow(1 - r) + 1e-4) : mean.pow(r);
      CHECK(largest_relative_difference(s / s[0], (raw / raw[0]).to(at::kFloat)) < 1e-5);
    }
  }
  CHECK(at::equal(lm::awq_scale(mean, {}, 0), at::ones({96})));
  // A channel that no token ever excites has the least scale, not zero.
  at::Tensor dead = mean.clone();
  dead[7] = 0;
  const at::Tensor s = lm::awq_scale(dead, {}, 0.5);
  CHECK(s[7].item<double>() > 0);
  CHECK(s.argmin().item<int64_t>() == 7);
}

TEST_CASE("the mean size of weights is taken relative to the largest of their group", "[awq]") {
  const at::Tensor a = at::tensor({1.0, -2.0, 4.0, 3.0, 6.0}).view({1, 5});
  const at::Tensor b = at::tensor({5.0, 5.0, 1.0, 0.0, -2.0}).view({1, 5});
  const at::Tensor mean = lm::awq_weight_mean({a, b}, {.group_size = 2});  // the last group is one column
  CHECK(test::max_difference(mean, at::tensor({0.75, 1.0, 1.0, 0.375, 1.0}, at::kDouble)) < 1e-5);
  CHECK(test::max_difference(lm::awq_weight_mean({at::cat({a, b})}, {.group_size = 2}), mean) < 1e-12);
}

// Codes may differ where fp32 and fp64 stand on two sides of a boundary; on these matrices none moves a loss by 1e-3.
// Weights are moved a little: bf16 has so few values that a group often lies symmetric about 0, with its zero point on
// the boundary of two.
TEST_CASE("the scale search finds the ratios and losses of its slow fp64 twin", "[awq]") {
  struct Case {
    const char* model;
    bool duo, tied;
  };
  const Case c = GENERATE(Case{"random-untied", false, false}, Case{"random-untied", true, false},
                          Case{"random-tied", false, true}, Case{"random-qwen2", false, false},
                          Case{"random-opt", false, false}, Case{"random-opt-350m", true, false});
  CAPTURE(c.model, c.duo, c.tied);
  const LoadedModel loaded(c.model, at::kDouble);
  const lm::ModelConfig& config = loaded.config;
  const auto batches = awq_windows(3, 16);
  const awq::Options options{.grid = open_grid(3, 16), .duo_scaling = c.duo, .clip = false, .tied = c.tied, .tick = {}};
  lm::Calibration calibration(loaded.model, batches, {.batch_size = 2, .tick = {}});
  lm::BlockWeights w = loaded.block(0, at::kFloat);
  lm::BlockWeights before = loaded.block(0, at::kDouble);
  for (const Linear linear : lm::linears(config)) {
    w[linear] = w[linear] * (1 + 0.01 * test::normal(w[linear].sizes(), 9)).to(at::kFloat);
    before[linear] = w[linear].to(at::kDouble);
  }
  const auto scales = awq::quantize_block(config, w, 0, calibration, options, [](const auto&) {});

  const lm::Positions positions(config, 0, 16, {}, at::kDouble);
  const at::Tensor x = loaded.model.embed(batches.ids, positions);
  for (const Linear group : lm::linears(config)) {
    if (lm::input_group(config, group) != group) continue;
    CAPTURE(group);
    CHECK((scales.count(group) > 0) == lm::can_fold(config, group, c.tied));
    if (scales.count(group) == 0) continue;
    const at::Tensor inputs = plain_inputs(config, before, x, positions, group);
    const int64_t n = inputs.size(1);
    const int64_t n_shared = n / lm::fold_width(config, group);
    std::vector<double> mean(static_cast<size_t>(n)), weight(static_cast<size_t>(n));
    for (int64_t j = 0; j < n; ++j) {
      const auto at = static_cast<size_t>(j);
      mean[at] = inputs.select(1, j).abs().mean().item<double>();
      double sum = 0;
      int64_t n_rows = 0;
      for (const Linear linear : members(config, group)) {
        const int64_t begin = j / 16 * 16;
        const at::Tensor size = before[linear].narrow(1, begin, std::min<int64_t>(16, n - begin)).abs();
        sum += (size.select(1, j - begin) / (std::get<0>(size.max(1)) + 1e-6)).sum().item<double>();
        n_rows += size.size(0);
      }
      weight[at] = sum / static_cast<double>(n_rows);
    }
    const auto shared = [&](const std::vector<double>& of, int64_t j) {  // over query heads of one value head
      const int64_t d = config.head_dim;
      const int64_t first = n_shared == 1 ? j : j / d / n_shared * n_shared * d + j % d;
      double sum = 0;
      for (int64_t i = 0; i < n_shared; ++i) sum += of[static_cast<size_t>(first + i * d)];
      return sum / static_cast<double>(n_shared);
    };
    std::vector<double> losses;
    for (int i = 0; i < 20; ++i) {
      std::vector<double> s;
      for (int64_t j = 0; j < n; ++j) {
        const double of_input = std::pow(shared(mean, j), i / 20.0);
        s.push_back(std::max(c.duo ? of_input / (std::pow(shared(weight, j), 1 - i / 20.0) + 1e-4) : of_input, 1e-4));
      }
      const double middle = std::sqrt(*std::max_element(s.begin(), s.end()) * *std::min_element(s.begin(), s.end()));
      lm::BlockWeights candidate = before;
      for (const Linear linear : members(config, group)) {
        candidate[linear] = slow_rounded(before[linear], at::tensor(s, at::kDouble) / middle, options.grid);
      }
      at::Tensor error;
      if (group == Linear::q) {
        error = lm::attention_forward(config, candidate, x, positions) -
                lm::attention_forward(config, before, x, positions);
      } else if (group == Linear::gate) {
        const at::Tensor y = lm::attention_forward(config, before, x, positions);
        error = lm::mlp_forward(config, candidate, y) - lm::mlp_forward(config, before, y);
      } else {
        error = inputs.mm((candidate[group] - before[group]).t());
      }
      losses.push_back(error.square().mean().item<double>());
    }
    const lm::ScaleChoice& choice = scales.at(group);
    const auto least = std::min_element(losses.begin(), losses.end());
    CHECK(choice.ratio == Approx(static_cast<double>(least - losses.begin()) / 20));
    for (size_t i = 0; i < losses.size(); ++i) {
      CAPTURE(i);
      CHECK(choice.losses[i] == Approx(losses[i]).epsilon(1e-3));
    }
  }
}

TEST_CASE("the exponent 0 is round to nearest, so the chosen loss is at most its", "[awq]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  const int num_bits = GENERATE(2, 4);
  CAPTURE(name, num_bits);
  const LoadedModel loaded(name);
  const lm::ModelConfig& config = loaded.config;
  const auto batches = awq_windows(4, 20);
  const awq::Options options{.grid = open_grid(num_bits, 16), .clip = false, .tick = {}};
  lm::Calibration calibration(loaded.model, batches, {.batch_size = 4, .tick = {}});
  lm::BlockWeights w = loaded.block(0, at::kFloat);
  const lm::BlockWeights before = w;
  const auto scales = awq::quantize_block(config, w, 0, calibration, options, [](const auto&) {});
  const lm::Positions positions(config, 0, 20, {}, at::kFloat);
  const at::Tensor x = loaded.model.embed(batches.ids, positions);
  for (const auto& [group, choice] : scales) {
    CAPTURE(group);
    REQUIRE(choice.losses.size() == 20);
    CHECK(choice.loss <= choice.losses[0]);
    CHECK(choice.loss == *std::min_element(choice.losses.begin(), choice.losses.end()));
    if (group != Linear::q) continue;
    lm::BlockWeights rtn = before;
    for (const Linear linear : members(config, group)) {
      rtn[linear] = lm::dequantize(lm::quantize_rtn(before[linear], options.grid));
    }
    const at::Tensor a = lm::attention_input(config, before, x);
    const double rtn_loss =
        (lm::attention_output(config, rtn, a, positions) - lm::attention_output(config, before, a, positions))
            .square()
            .mean(at::kDouble)
            .item<double>();
    CHECK(choice.losses[0] == Approx(rtn_loss).epsilon(1e-12));
    CHECK(choice.loss <= rtn_loss);
  }
  // With no other exponent and no clipping, AWQ is round to nearest, bit for bit.
  lm::Calibration again(loaded.model, batches, {.batch_size = 4, .tick = {}});
  lm::BlockWeights plain = before;
  awq::Options only_zero = options;
  only_zero.n_grid = 1;
  (void)awq::quantize_block(config, plain, 0, again, only_zero, [&](const awq::QuantizedLinear& done) {
    CHECK(at::equal(done.matrix.codes, lm::quantize_rtn(before[done.linear], options.grid).codes));
  });
}

TEST_CASE("after the folds alone a block computes the same, and only norms and biases that folds touch change",
          "[awq]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  const bool tied = GENERATE(false, true);
  CAPTURE(name, tied);
  const LoadedModel loaded(name);
  const lm::ModelConfig& config = loaded.config;
  lm::Calibration calibration(loaded.model, awq_windows(4, 20), {.batch_size = 4, .tick = {}});
  const awq::Options options{.grid = open_grid(2, 16), .clip_tokens = 32, .tied = tied, .tick = {}};
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    CAPTURE(block);
    lm::BlockWeights w = loaded.block(block, at::kFloat);
    const lm::BlockWeights before = w;
    std::map<Linear, at::Tensor> folded;
    const auto scales = awq::quantize_block(config, w, block, calibration, options, [&](const awq::QuantizedLinear& q) {
      folded[q.linear] = q.folded;
      CHECK(at::equal(w[q.linear], lm::dequantize(q.matrix)));
    });
    CHECK(static_cast<int>(scales.size()) ==
          (config.norm_first ? 3 : 1) + (lm::can_fold(config, Linear::o, tied) ? 1 : 0));
    bool any = false;
    for (const auto& [group, choice] : scales) any = any || choice.ratio > 0;
    CHECK(any);

    // As stored, in fp32 ...
    lm::BlockWeights stored = w;
    for (const Linear linear : lm::linears(config)) stored[linear] = folded.at(linear);
    const at::Tensor x = test::normal({2, 9, config.hidden_size}, 3);
    const auto output = [&](const lm::BlockWeights& of, at::ScalarType dtype) {
      const lm::Positions positions(config, 0, 9, {}, dtype);
      return lm::block_forward(config, of, x.to(dtype), positions);
    };
    CHECK(largest_relative_difference(output(stored, at::kFloat), output(before, at::kFloat)) < 1e-4);
    // ... and in fp64, where only rounding is left.
    const lm::BlockWeights wide = loaded.block(block, at::kDouble);
    lm::BlockWeights wide_folded = wide;
    for (const auto& [group, choice] : scales) lm::fold(config, wide_folded, group, choice.scale.to(at::kDouble));
    CHECK(largest_relative_difference(output(wide_folded, at::kDouble), output(wide, at::kDouble)) < 1e-10);

    const lm::NamedTensors changed = lm::folded_vectors(config, block, before, w);
    size_t expected = 0;
    for (const auto& [group, choice] : scales) {
      if (group == Linear::o || group == Linear::down) {
        expected += lm::has_bias(config, group == Linear::o ? Linear::v : Linear::up) ? 1U : 0U;
      } else {
        expected += config.norm == lm::ModelConfig::Norm::layer ? 2U : 1U;
      }
    }
    CHECK(changed.size() == expected);
    const auto vectors = lm::vector_names(config, block);
    for (const auto& [vector, tensor] : changed) {
      CHECK(tensor.scalar_type() == at::kFloat);
      CHECK(std::count(vectors.begin(), vectors.end(), vector) == 1);
    }
  }
}

TEST_CASE("the clip search finds the ratios of its slow fp64 twin, and clipping never costs", "[awq]") {
  const auto [num_bits, group_size, n_tokens] =
      GENERATE(table<int, int64_t, int64_t>({{2, 16, 60}, {3, 20, 12}, {4, -1, 200}, {3, -1, 20}}));
  CAPTURE(num_bits, group_size, n_tokens);
  const GridOptions grid = open_grid(num_bits, group_size);
  const at::Tensor w = test::normal({12, 52}, 5).pow(3).to(at::kFloat);  // long tails: worth clipping
  const at::Tensor x = (test::normal({n_tokens, 52}, 6) * test::normal({1, 52}, 7).exp()).to(at::kFloat);
  const auto fast = lm::awq_search_clip(w, x, grid);
  const SlowClip slow = slow_clip(w, x, grid);
  CHECK(at::allclose(fast.ratio.to(at::kDouble), slow.ratio, 1e-6, 1e-6));
  CHECK((slow.loss <= slow.unclipped_loss).all().item<bool>());
  CHECK((fast.ratio < 1).any().item<bool>());

  const at::Tensor error = (lm::dequantize(lm::quantize_rtn(fast.weight, grid)) - w).to(at::kDouble);
  const at::Tensor plain = (lm::dequantize(lm::quantize_rtn(w, grid)) - w).to(at::kDouble);
  const int64_t width = lm::group_width(grid, 52);
  for (int64_t begin = 0, g = 0; begin < 52; begin += width, ++g) {
    const int64_t length = std::min(width, 52 - begin);
    const auto loss = [&](const at::Tensor& e) {
      return e.narrow(1, begin, length).mm(x.to(at::kDouble).narrow(1, begin, length).t()).square().mean(1);
    };
    CHECK((loss(error) <= loss(plain) * (1 + 1e-6)).all().item<bool>());
    CHECK(at::allclose(loss(error), slow.loss.select(1, g), 1e-3));
    // A ratio of 1 changes nothing, a smaller one only what lies beyond it.
    const at::Tensor before = w.narrow(1, begin, length);
    const at::Tensor after = fast.weight.narrow(1, begin, length);
    const at::Tensor bound = before.abs().amax(1, true) * fast.ratio.select(1, g).unsqueeze(1);
    CHECK(at::equal(after, at::clamp(before, -bound, bound)));
    const at::Tensor whole = fast.ratio.select(1, g) == 1;
    CHECK(at::equal(after.index({whole}), before.index({whole})));
  }
}

// Four of 64 channels carry inputs 50 times as large as the others: the case that the method is made for.
TEST_CASE("where a few channels carry most, the output loss falls far below that of round to nearest", "[awq]") {
  const int num_bits = GENERATE(2, 3, 4);
  const GridOptions grid = open_grid(num_bits, -1);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const at::Tensor w = test::normal({48, 64}, 20 + seed).to(at::kFloat);
    at::Tensor x = test::normal({512, 64}, 40 + seed);
    x.narrow(1, 10, 4) *= 50;
    const at::Tensor hessian = (2 * x.t().mm(x) / 512).to(at::kFloat);
    const auto choice = lm::awq_search_scale(
        20, [&](double r) { return lm::awq_scale(x.abs().mean(0), {}, r); },
        [&](const at::Tensor& s) { return lm::awq_layer_loss(lm::awq_rounded(w, s, grid) - w, hessian); });
    CAPTURE(num_bits, seed, choice.ratio);
    CHECK(choice.ratio > 0.2);
    CHECK(choice.loss < choice.losses[0] / 3);
    // The loss through second moments is the mean over tokens and outputs.
    const at::Tensor e = (lm::awq_rounded(w, choice.scale, grid) - w).to(at::kDouble);
    CHECK(choice.loss == Approx(x.mm(e.t()).square().mean().item<double>()).epsilon(1e-4));
  }
}

TEST_CASE("the next block reads what the parameter says: outputs of the weights as they were, or as rounded", "[awq]") {
  const bool quantized = GENERATE(false, true);
  const LoadedModel loaded("random-untied");
  const auto batches = awq_windows(5, 12);
  lm::Calibration calibration(loaded.model, batches, {.batch_size = 2, .tick = {}});
  lm::Calibration plain(loaded.model, batches, {.batch_size = 2, .tick = {}});
  lm::BlockWeights w = loaded.block(0, at::kFloat);
  const lm::BlockWeights before = w;
  const awq::Options options{.grid = open_grid(3, 16), .clip_tokens = 32, .propagate_quantized = quantized, .tick = {}};
  (void)awq::quantize_block(loaded.config, w, 0, calibration, options, [](const auto&) {});
  const lm::BlockWeights& passed = quantized ? w : before;
  plain.pass_attention(passed);
  plain.pass_mlp(passed);
  const lm::BlockWeights next = loaded.block(1, at::kFloat);
  CHECK(at::equal(calibration.second_moments(next, Linear::q), plain.second_moments(next, Linear::q)));
}

TEST_CASE("AWQ that goes on after a stop leaves the same bytes", "[awq]") {
  const auto name = GENERATE("random-untied", "random-opt");
  const bool quantized = GENERATE(false, true);
  const LoadedModel loaded(name);
  const auto batches = awq_windows(5, 12);
  GridOptions grid = open_grid(3, 16);
  grid.scale_dtype = at::kHalf;
  const awq::Options options{.grid = grid, .clip_tokens = 32, .propagate_quantized = quantized, .tick = {}};
  const auto quantize = [&](lm::QuantizedModelWriter& out, lm::Calibration& calibration, int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      lm::BlockWeights w = loaded.block(block, at::kFloat);
      const lm::BlockWeights before = w;
      (void)awq::quantize_block(loaded.config, w, block, calibration, options, [&](const awq::QuantizedLinear& done) {
        out.add(block, done.linear, done.matrix, done.folded);
      });
      out.finish_block(block, lm::folded_vectors(loaded.config, block, before, w));
    }
  };
  const auto writer_in = [&](const test::ScratchDirectory& dir) {
    return lm::QuantizedModelWriter(loaded.dir, dir.path(), loaded.weights, loaded.config,
                                    {.method = "awq", .grid = grid, .activations = {}});
  };
  const auto started = [&] { return lm::Calibration(loaded.model, batches, {.batch_size = 2, .tick = {}}); };
  const test::ScratchDirectory straight, first, saved, second;
  {
    auto out = writer_in(straight);
    lm::Calibration calibration = started();
    quantize(out, calibration, 0, loaded.config.n_blocks);
    (void)out.finish();
  }
  {
    auto out = writer_in(first);
    lm::Calibration calibration = started();
    quantize(out, calibration, 0, 1);
    out.save(saved.path());
    lm::write_safetensors(saved.path() / "hidden", calibration.save());
  }
  auto out = writer_in(second);
  lm::Calibration calibration = started();
  REQUIRE(out.restore(saved.path()) == 1);
  calibration.restore(lm::SafetensorsFile::open(saved.path() / "hidden"));
  quantize(out, calibration, 1, loaded.config.n_blocks);
  (void)out.finish();
  for (const auto& entry : std::filesystem::directory_iterator(straight.path())) {
    INFO(entry.path().filename());
    CHECK(test::read_text(entry.path()) == test::read_text(second.path() / entry.path().filename()));
  }

  // What was written is what was computed: norms in fp32, and a model that runs.
  const auto weights = lm::open_weights(second.path());
  const auto norm = weights->tensor(lm::attention_norm_names(loaded.config, 0).weight);
  CHECK(norm.scalar_type() == at::kFloat);
  const lm::Model model(lm::read_model_config(second.path()), *weights, at::kFloat);
  CHECK(at::isfinite(model.logits(model.forward(test::ids_of({1, 4, 9})))).all().item<bool>());
}

TEST_CASE("what AWQ cannot do it refuses by name", "[awq]") {
  const LoadedModel loaded("random-untied");
  const test::ScratchDirectory dir;
  const auto error_of = [&](awq::Options options, const auto& change) {
    lm::Calibration calibration(loaded.model, awq_windows(2, 16), {.batch_size = 2, .tick = {}});
    lm::BlockWeights w = loaded.block(0, at::kFloat);
    change(w);
    return dir.error_of(
        [&] { (void)awq::quantize_block(loaded.config, w, 3, calibration, options, [](const auto&) {}); });
  };
  const auto nothing = [](lm::BlockWeights&) {};
  const awq::Options good{.grid = open_grid(3, 16), .clip_tokens = 32, .tick = {}};
  awq::Options options = good;
  options.clip_tokens = 33;
  CHECK(error_of(options, nothing) ==
        "the calibration windows hold too few tokens for the clip search\n  where: calibration\n"
        "  why: they have 32 tokens, clip_tokens is 33\n"
        "  fix: give more windows, or lower clip_tokens, or set clip to false");
  options = good;
  options.clip_tokens = 0;
  CHECK(error_of(options, nothing) ==
        "clip_tokens is out of range\n  where: clip_tokens\n  why: it is 0\n"
        "  fix: use 1 or more, or set clip to false");
  options = good;
  options.n_grid = 0;
  CHECK_THAT(error_of(options, nothing), Catch::StartsWith("n_grid is out of range"));
  const auto spoiled = [](at::Tensor& tensor) {
    tensor = tensor.clone();
    tensor.view(-1)[5] = std::nan("");
  };
  CHECK(error_of(good, [&](lm::BlockWeights& w) { spoiled(w.up); }) ==
        "weights are not finite\n  where: model.layers.3.mlp.up_proj.weight, the matrix to quantize\n"
        "  why: 1 of 1408 are NaN or Inf\n  fix: use an undamaged model");
  CHECK(error_of(good, [&](lm::BlockWeights& w) { spoiled(w.attention_norm.weight); }) ==
        "no scale gives a finite loss\n  where: model.layers.3.self_attn.q_proj.weight, scale search\n"
        "  why: with each of the 20 ratios the output is NaN or Inf\n"
        "  fix: compute in float32 and use scale_dtype bfloat16 or float32; if that is so, look for NaN or Inf, and "
        "for huge weights, in the model");
}

// A trained model and its own kind of text; docs/methods/awq.md has numbers on more of it.
TEST_CASE("on stories260K at three bits AWQ costs less perplexity than round to nearest", "[awq][shared]") {
  const auto dir = test::shared_data("models/stories260K");
  const auto text_file = test::shared_data("text/tinystories-1MiB.txt");
  if (!dir || !text_file) return;
  const auto tokenizer = lm::Tokenizer::open(*dir / "tokenizer.json");
  const auto ids = tokenizer.encode(test::read_text(*text_file).substr(0, 30000));
  const auto windows = lm::cut_windows(ids, {.context_length = 256});
  const int64_t n_calibration = 12;
  const int64_t n_held_out = 16;
  REQUIRE(windows.ids.size(0) >= n_calibration + n_held_out);
  const auto config = lm::read_model_config(*dir);
  const auto weights = lm::Checkpoint::open(*dir);
  const lm::Model source(config, weights, at::kFloat, lm::Model::Blocks::streaming);
  lm::TokenBatches batches;
  batches.ids = windows.ids.narrow(0, 0, n_calibration);
  const lm::Windows held_out{.ids = windows.ids.narrow(0, n_calibration, n_held_out),
                             .scored = windows.scored.narrow(0, n_calibration, n_held_out),
                             .keep = {}};
  const auto perplexity = [&](const auto& quantize_block) {
    lm::Model model(config, weights, at::kFloat);
    lm::Calibration calibration(source, batches, {.batch_size = 8, .tick = {}});
    for (int64_t block = 0; block < config.n_blocks; ++block) {
      quantize_block(model.resident_block(block), block, calibration);
    }
    return lm::score(model, held_out, {.batch_size = 8}).value();
  };
  GridOptions grid{.num_bits = 3, .group_size = 32};
  const double full = perplexity([](auto&...) {});
  const double rtn = perplexity([&](lm::BlockWeights& w, int64_t, lm::Calibration&) {
    for (const Linear linear : lm::linears(config)) w[linear] = lm::dequantize(lm::quantize_rtn(w[linear], grid));
  });
  const double gptq = perplexity([&](lm::BlockWeights& w, int64_t block, lm::Calibration& calibration) {
    lm::GptqOptions options;
    options.grid = grid;
    gptq::quantize_block(config, w, lm::BlockWeights(w), block, calibration, options, true, [](const auto&) {});
  });
  grid.include_zero = false;
  const auto awq_perplexity = [&](bool clip, bool tied) {
    return perplexity([&](lm::BlockWeights& w, int64_t block, lm::Calibration& calibration) {
      const awq::Options options{.grid = grid, .clip = clip, .tied = tied, .tick = {}};
      (void)awq::quantize_block(config, w, block, calibration, options, [](const auto&) {});
    });
  };
  const double awq = awq_perplexity(true, false);
  const double tied = awq_perplexity(false, true);
  CAPTURE(full, rtn, gptq, awq, tied);
  CHECK(full < awq);
  CHECK(awq < rtn);
  CHECK(tied < rtn);
}
