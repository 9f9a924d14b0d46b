#include "awq_model.h"

#include <algorithm>
#include <optional>

#include "lm/error.h"
#include "lm/fold.h"
#include "lm/hessian.h"
#include "lm/rtn.h"

namespace lowbit::awq {
namespace {

using lm::Linear;

/// What a group of linears reads over all calibration tokens.
struct GroupInputs {
  at::Tensor mean;     // fp64 [in], of |x|
  at::Tensor hessian;  // fp32 [in, in], 2 E[x x^T]
  at::Tensor sample;   // fp32 [N, in]
};

void check_tokens(const lm::Calibration& calibration, const Options& options) {
  if (options.clip_tokens < 1) {
    throw lm::Error(lm::Status::bad_param, {.what = "clip_tokens is out of range",
                                            .where = "clip_tokens",
                                            .why = "it is " + std::to_string(options.clip_tokens),
                                            .fix = "use 1 or more, or set clip to false"});
  }
  if (options.clip && calibration.n_tokens() < options.clip_tokens) {
    throw lm::Error(lm::Status::bad_param, {.what = "the calibration windows hold too few tokens for the clip search",
                                            .where = "calibration",
                                            .why = "they have " + std::to_string(calibration.n_tokens()) +
                                                   " tokens, clip_tokens is " + std::to_string(options.clip_tokens),
                                            .fix = "give more windows, or lower clip_tokens, or set clip to false"});
  }
}

at::Tensor real_tokens(const at::Tensor& x, const at::Tensor& keep) {
  const at::Tensor rows = x.reshape({-1, x.size(-1)});
  return keep.defined() ? rows.index({keep.reshape({-1})}) : rows;
}

GroupInputs observe(const lm::Calibration& calibration, const lm::BlockWeights& w, Linear group, int64_t n_sampled) {
  const int64_t n_features = w[group].size(1);
  const int64_t stride = std::max<int64_t>(1, calibration.n_tokens() / n_sampled);
  lm::Hessian hessian(n_features, w[group].device());
  at::Tensor sum = at::zeros({n_features}, w[group].options().dtype(at::kDouble));
  std::vector<at::Tensor> sample;
  int64_t n_seen = 0;
  calibration.for_each_input(w, group, [&](const at::Tensor& x, const at::Tensor& keep, const lm::Positions&) {
    const at::Tensor rows = real_tokens(x, keep);
    hessian.add(rows);
    sum += rows.abs().sum(0, /*keepdim=*/false, at::kDouble);
    const int64_t first = (stride - n_seen % stride) % stride;
    if (first < rows.size(0)) {
      sample.push_back(rows.slice(0, first, rows.size(0), stride).to(at::kFloat).contiguous());
    }
    n_seen += rows.size(0);
  });
  return {.mean = sum / static_cast<double>(n_seen), .hessian = hessian.value(), .sample = at::cat(sample)};
}

/// The block as the forward pass takes it.
lm::BlockWeights in_dtype(const lm::ModelConfig& config, lm::BlockWeights w, at::ScalarType dtype) {
  const auto change = [dtype](at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.to(dtype);
  };
  for (const Linear linear : lm::linears(config)) {
    change(w[linear]);
    change(w.bias(linear));
  }
  for (lm::Norm* norm : {&w.attention_norm, &w.mlp_norm}) {
    change(norm->weight);
    change(norm->bias);
  }
  return w;
}

/// A search of scales for the groups of one block.
class ScaleSearch {
 public:
  /// w: fp32; as_computed: the same in the dtype of the forward pass.
  ScaleSearch(const lm::ModelConfig& config, const lm::BlockWeights& w, const lm::BlockWeights& as_computed,
              const Options& options)
      : config_(config), w_(w), as_computed_(as_computed), options_(options) {}

  [[nodiscard]] lm::ScaleChoice best(Linear group, const GroupInputs& inputs,
                                     const lm::Calibration& calibration) const {
    const std::vector<Linear> members = members_of(group);
    const at::Tensor input_mean = lm::fold_means(config_, group, inputs.mean);
    at::Tensor weight_mean;
    if (options_.duo_scaling) {
      std::vector<at::Tensor> matrices;
      for (const Linear linear : members) matrices.push_back(w_[linear]);
      weight_mean = lm::fold_means(config_, group, lm::awq_weight_mean(matrices, options_.grid));
    }
    const auto scale_of = [&](double ratio) { return lm::awq_scale(input_mean, weight_mean, ratio); };
    const auto rounded = [&](Linear linear, const at::Tensor& s) {
      if (options_.tick) options_.tick();
      return lm::awq_rounded(w_[linear], lm::fold_columns(config_, group, s), options_.grid);
    };
    if (members.size() == 1) {
      return lm::awq_search_scale(options_.n_grid, scale_of, [&](const at::Tensor& s) {
        return lm::awq_layer_loss(rounded(group, s) - w_[group], inputs.hessian);
      });
    }
    std::vector<at::Tensor> targets;
    calibration.for_each_input(as_computed_, group,
                               [&](const at::Tensor& x, const at::Tensor&, const lm::Positions& positions) {
                                 targets.push_back(output_of(as_computed_, group, x, positions));
                               });
    return lm::awq_search_scale(options_.n_grid, scale_of, [&](const at::Tensor& s) {
      lm::BlockWeights candidate = as_computed_;
      for (const Linear linear : members) candidate[linear] = rounded(linear, s).to(as_computed_[linear].scalar_type());
      double sum = 0;
      int64_t n = 0;
      size_t batch = 0;
      calibration.for_each_input(
          as_computed_, group, [&](const at::Tensor& x, const at::Tensor& keep, const lm::Positions& positions) {
            const at::Tensor y = output_of(candidate, group, x, positions);
            const at::Tensor error = real_tokens(y.to(at::kFloat) - targets[batch++].to(at::kFloat), keep);
            sum += error.square().sum(at::kDouble).item<double>();
            n += error.numel();
          });
      return sum / static_cast<double>(n);
    });
  }

 private:
  [[nodiscard]] std::vector<Linear> members_of(Linear group) const {
    std::vector<Linear> members;
    for (const Linear linear : lm::linears(config_)) {
      if (lm::input_group(config_, linear) == group) members.push_back(linear);
    }
    return members;
  }
  /// Of the module that reads a group's input: attention, or the MLP.
  [[nodiscard]] at::Tensor output_of(const lm::BlockWeights& w, Linear group, const at::Tensor& x,
                                     const lm::Positions& positions) const {
    return group == Linear::q ? lm::attention_output(config_, w, x, positions) : lm::mlp_output(config_, w, x);
  }

  const lm::ModelConfig& config_;
  const lm::BlockWeights& w_;
  const lm::BlockWeights& as_computed_;
  const Options& options_;
};

}  // namespace

Scales quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, int64_t block, lm::Calibration& calibration,
                      const Options& options, const std::function<void(QuantizedLinear)>& done) {
  const c10::InferenceMode no_gradients;
  lm::check(options.grid);
  check_tokens(calibration, options);
  for (const Linear linear : lm::linears(config)) {
    w[linear] = lm::at_place(lm::linear_name(config, block, linear), [&] { return lm::finite_copy(w[linear]); });
  }
  const lm::BlockWeights original = w;
  const lm::BlockWeights as_computed = in_dtype(config, w, calibration.dtype());
  const ScaleSearch search(config, original, as_computed, options);
  std::map<Linear, GroupInputs> inputs;
  Scales scales;
  const auto study = [&](Linear group, const lm::Calibration& at_group) {
    lm::at_place(lm::linear_name(config, block, group), [&] {
      const GroupInputs& seen = inputs[group] = observe(at_group, as_computed, group, options.clip_tokens);
      if (lm::can_fold(config, group, options.tied)) scales[group] = search.best(group, seen, at_group);
    });
  };
  std::optional<lm::Calibration> ahead;  // the windows inside this block, where they have to come back to its start
  lm::Calibration& walker = options.propagate_quantized ? ahead.emplace(calibration) : calibration;
  study(Linear::q, walker);
  study(Linear::o, walker);
  walker.pass_attention(as_computed);
  study(lm::input_group(config, Linear::up), walker);
  study(Linear::down, walker);
  if (!options.propagate_quantized) walker.pass_mlp(as_computed);
  ahead.reset();

  for (const auto& [group, choice] : scales) lm::fold(config, w, group, choice.scale);
  const lm::BlockWeights folded = w;
  std::map<Linear, QuantizedLinear> quantized;
  for (const Linear linear : lm::linears(config)) {
    lm::at_place(lm::linear_name(config, block, linear), [&] {
      if (options.tick) options.tick();
      QuantizedLinear& result = quantized[linear];
      result.linear = linear;
      result.folded = folded[linear];
      at::Tensor kept = folded[linear];
      // Errors of q and k meet in a product, which no loss of one of them sees.
      if (options.clip && linear != Linear::q && linear != Linear::k) {
        const Linear group = lm::input_group(config, linear);
        const auto choice = scales.find(group);
        const at::Tensor& seen = inputs.at(group).sample;
        const at::Tensor x =
            choice == scales.end() ? seen : seen / lm::fold_columns(config, group, choice->second.scale);
        lm::ClipChoice clipped = lm::awq_search_clip(folded[linear], x, options.grid, options.tick);
        kept = clipped.weight;
        result.clip_ratio = clipped.ratio;
      }
      result.matrix = lm::quantize_rtn(kept, options.grid);
      w[linear] = lm::dequantize(result.matrix);
    });
  }
  lm::BlockWeights unscaled = w;
  for (const auto& [group, choice] : scales) lm::fold(config, unscaled, group, choice.scale.reciprocal());
  for (const Linear linear : lm::linears(config)) {
    if (options.tick) options.tick();
    QuantizedLinear& result = quantized.at(linear);
    result.relative_loss = lm::relative_loss(unscaled[linear] - original[linear], original[linear],
                                             inputs.at(lm::input_group(config, linear)).hessian);
    done(std::move(result));
  }
  if (options.propagate_quantized) {
    const lm::BlockWeights rounded = in_dtype(config, w, calibration.dtype());
    calibration.pass_attention(rounded);
    calibration.pass_mlp(rounded);
  }
  return scales;
}

}  // namespace lowbit::awq
