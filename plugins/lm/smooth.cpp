#include "lm/smooth.h"

#include "lm/error.h"
#include "lm/fold.h"
#include "lm/tensor_names.h"

namespace lowbit::lm {
namespace {

constexpr double kLeastMaximum = 1e-5;

void expect_finite(const at::Tensor& maxima, const char* of) {
  if (at::isfinite(maxima).all().item<bool>()) return;
  throw Error(Status::numeric, {.what = std::string(of) + " are not finite",
                                .where = "smoothing",
                                .why = std::to_string(at::isfinite(maxima).logical_not().sum().item<int64_t>()) +
                                       " of " + std::to_string(maxima.numel()) + " channels hold NaN or Inf",
                                .fix = "use an undamaged model, and compute in fp32"});
}

}  // namespace

std::vector<Linear> smoothed_groups(const ModelConfig& config) { return {Linear::q, input_group(config, Linear::up)}; }

void check_can_smooth(const ModelConfig& config) {
  for (const Linear group : smoothed_groups(config)) {
    if (can_fold(config, group)) continue;
    throw Error(Status::bad_input,
                {.what = "the model cannot be smoothed",
                 .where = "config.json",
                 .why = "its norms stand after attention and MLP: what " + module_name(config, group) +
                        " reads is also added to the output, and no norm before it can take up a scale",
                 .fix = "use a model whose norms come first, or quantize this one without smoothing: lowbit.llm-int8, "
                        "or lowbit.rtn and lowbit.quantize-activations"});
  }
}

at::Tensor smoothing_scale(const at::Tensor& input_maxima, const at::Tensor& weight_maxima, double alpha) {
  if (!(alpha >= 0 && alpha <= 1)) {
    throw Error(Status::bad_param, {.what = "alpha is out of range",
                                    .where = "alpha",
                                    .why = "it is " + std::to_string(alpha) +
                                           "; 0 leaves all that is hard to round to the activations, 1 to the weights",
                                    .fix = "use a value from 0 to 1"});
  }
  expect_finite(input_maxima, "calibration inputs");
  expect_finite(weight_maxima, "weights");
  const at::Tensor x = input_maxima.to(weight_maxima.scalar_type());
  return (x.pow(alpha) / weight_maxima.clamp_min(kLeastMaximum).pow(1 - alpha)).clamp_min(kLeastMaximum);
}

at::Tensor column_maxima(const ModelConfig& config, const BlockWeights& w, Linear group) {
  at::Tensor maxima;
  for (const Linear linear : linears(config)) {
    if (input_group(config, linear) != group) continue;
    const at::Tensor of_linear = w[linear].abs().amax(0);
    maxima = maxima.defined() ? at::maximum(maxima, of_linear) : of_linear;
  }
  return maxima;
}

BlockWeights smooth_block(const ModelConfig& config, const BlockWeights& observed, BlockWeights w, int64_t block,
                          Calibration& calibration, const SmoothOptions& options) {
  const auto smooth_group = [&](Linear group) {
    const Extremes extremes = calibration.extremes(observed, group);
    const at::Tensor s = at_place(module_of(linear_name(config, block, group)), [&] {
      return smoothing_scale(extremes.largest(), column_maxima(config, w, group), options.alpha);
    });
    fold(config, w, group, s);
    if (options.scales != nullptr) (*options.scales)[group] = s;
    if (options.ranges != nullptr) add_range(*options.ranges, config, block, group, extremes, s);
  };
  const auto observe = [&](Linear group) {
    if (options.ranges == nullptr) return;
    add_range(*options.ranges, config, block, group, calibration.extremes(observed, group));
  };
  smooth_group(Linear::q);
  observe(Linear::o);
  calibration.pass_attention(observed);
  smooth_group(input_group(config, Linear::up));
  observe(Linear::down);
  calibration.pass_mlp(observed);
  return w;
}

NamedTensors norms_of(const ModelConfig& config, const BlockWeights& w, int64_t block) {
  NamedTensors norms;
  for (const auto& [names, norm] : {std::pair{attention_norm_names(config, block), w.attention_norm},
                                    std::pair{mlp_norm_names(config, block), w.mlp_norm}}) {
    norms[names.weight] = norm.weight;
    if (!names.bias.empty()) norms[names.bias] = norm.bias;
  }
  return norms;
}

}  // namespace lowbit::lm
