#include "lm/calibration.h"

#include <cmath>
#include <string>

#include "lm/device.h"
#include "lm/error.h"
#include "lm/fused.h"
#include "lm/hessian.h"
#include "lm/tensor_names.h"

namespace lowbit::lm {
namespace {

std::string batch_name(size_t index) { return "hidden." + std::to_string(index); }

}  // namespace

Calibration::Calibration(const Model& model, const TokenBatches& batches, Options options)
    : model_(model), options_(std::move(options)) {
  const c10::InferenceMode no_gradients;
  const ModelConfig& config = model.config();
  if (batches.length() > config.max_positions) {
    throw Error(Status::bad_param, {.what = "the calibration windows are longer than the model's context",
                                    .where = "calibration",
                                    .why = "they have " + std::to_string(batches.length()) + " tokens, the model " +
                                           std::to_string(config.max_positions) + " positions",
                                    .fix = "cut shorter windows"});
  }
  for (int64_t begin = 0; begin < batches.n_windows(); begin += options_.batch_size) {
    const int64_t n = std::min(options_.batch_size, batches.n_windows() - begin);
    at::Tensor keep;
    at::Tensor n_pads;
    if (batches.attention_mask.defined()) {
      keep = batches.attention_mask.narrow(0, begin, n);
      n_pads = left_padding(keep);
    }
    n_tokens_ += keep.defined() ? keep.sum().item<int64_t>() : n * batches.length();
    Positions positions(config, 0, batches.length(), n_pads, model.options());
    positions.real = keep = on(model.options().device(), keep);
    at::Tensor hidden = model.embed(batches.ids.narrow(0, begin, n), positions);
    batches_.push_back({.hidden = std::move(hidden), .keep = keep, .positions = std::move(positions)});
  }
}

void Calibration::for_each_input(const BlockWeights& w, Linear group, const Visit& visit) const {
  const c10::InferenceMode no_gradients;
  const ModelConfig& config = model_.config();
  for (const Batch& batch : batches_) {
    if (options_.tick) options_.tick();
    const auto visit_here = [&](const at::Tensor& x) { visit(x, batch.keep, batch.positions); };
    switch (group) {
      case Linear::q: visit_here(attention_input(config, w, batch.hidden)); break;
      case Linear::gate:
      case Linear::up: visit_here(mlp_input(config, w, batch.hidden)); break;
      case Linear::o: visit_here(output_input(config, w, batch.hidden, batch.positions)); break;
      default: visit_here(down_input(config, w, batch.hidden, batch.positions.real)); break;
    }
  }
}

at::Tensor Calibration::second_moments(const BlockWeights& w, Linear group) const {
  const c10::InferenceMode no_gradients;
  Hessian hessian(w[group].size(1), w[group].device());
  for_each_input(w, group,
                 [&](const at::Tensor& x, const at::Tensor& keep, const Positions&) { hessian.add(x, keep); });
  return hessian.value();
}

std::map<Linear, at::Tensor> Calibration::collect(const BlockWeights& w,
                                                  const std::function<void(size_t, const at::Tensor&)>& behind) const {
  const c10::InferenceMode no_gradients;
  const ModelConfig& config = model_.config();
  std::map<Linear, Hessian> hessians;
  for (const Linear linear : linears(config)) {
    if (input_group(config, linear) == linear) hessians.emplace(linear, Hessian(w[linear].size(1), w[linear].device()));
  }
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (options_.tick) options_.tick();
    const Batch& batch = batches_[i];
    const InputTap tap = [&](Linear group, const at::Tensor& x) { hessians.at(group).add(x, batch.keep); };
    const at::Tensor middle = attention_forward(config, w, batch.hidden, batch.positions, nullptr, 0, tap);
    behind(i, mlp_forward(config, w, middle, tap, batch.positions.real));
  }
  std::map<Linear, at::Tensor> moments;
  for (const auto& [group, hessian] : hessians) moments[group] = hessian.value();
  return moments;
}

std::map<Linear, at::Tensor> Calibration::all_second_moments(const BlockWeights& w) const {
  return collect(w, [](size_t, const at::Tensor&) {});
}

std::map<Linear, at::Tensor> Calibration::pass_block(const BlockWeights& w) {
  return collect(w, [this](size_t i, const at::Tensor& hidden) { batches_[i].hidden = hidden; });
}

Extremes Calibration::extremes(const BlockWeights& w, Linear group) const {
  const c10::InferenceMode no_gradients;
  Extremes result;
  for_each_input(w, group, [&](const at::Tensor& x, const at::Tensor& keep, const Positions&) {
    const at::Tensor rows = x.reshape({-1, x.size(-1)}).to(wide(x.scalar_type()));
    const at::Tensor real = keep.defined() ? rows.index({keep.reshape({-1})}) : rows;
    const auto [low, high] = at::aminmax(real, 0);
    result.low = result.low.defined() ? at::minimum(result.low, low) : low;
    result.high = result.high.defined() ? at::maximum(result.high, high) : high;
  });
  return result;
}

Range Extremes::range(const at::Tensor& s) const {
  return {(s.defined() ? low / s : low).min().item<double>(), (s.defined() ? high / s : high).max().item<double>()};
}

void require_tokens(int64_t n_tokens, int64_t least) {
  if (n_tokens >= least) return;
  throw Error(Status::bad_param, {.what = "there are too few calibration tokens",
                                  .where = "calibration",
                                  .why = "its windows hold " + std::to_string(n_tokens) + " tokens, and " +
                                         std::to_string(least) + " are asked for",
                                  .fix = "calibrate on more windows, or lower min_calibration_tokens"});
}

void add_range(std::map<std::string, Range>& ranges, const ModelConfig& config, int64_t block, Linear group,
               const Extremes& extremes, const at::Tensor& s) {
  const std::string module = module_of(linear_name(config, block, group));
  const Range range = extremes.range(s);
  if (!std::isfinite(range.low) || !std::isfinite(range.high)) {
    throw Error(Status::numeric, {.what = "activations are not finite",
                                  .where = "inputs of " + module,
                                  .why = "the calibration windows lead to NaN or Inf there",
                                  .fix = "use an undamaged model, and compute in fp32"});
  }
  ranges[module] = range;
}

void pass_with_ranges(Calibration& calibration, const ModelConfig& config, const BlockWeights& w, int64_t block,
                      std::map<std::string, Range>& ranges) {
  const auto observe = [&](Linear group) { add_range(ranges, config, block, group, calibration.extremes(w, group)); };
  observe(Linear::q);
  observe(Linear::o);
  calibration.pass_attention(w);
  observe(input_group(config, Linear::up));
  observe(Linear::down);
  calibration.pass_mlp(w);
}

void Calibration::pass_attention(const BlockWeights& w) {
  const c10::InferenceMode no_gradients;
  for (Batch& batch : batches_) {
    if (options_.tick) options_.tick();
    batch.hidden = attention_forward(model_.config(), w, batch.hidden, batch.positions);
  }
}

void Calibration::pass_mlp(const BlockWeights& w) {
  const c10::InferenceMode no_gradients;
  for (Batch& batch : batches_) {
    if (options_.tick) options_.tick();
    batch.hidden = mlp_forward(model_.config(), w, batch.hidden, {}, batch.positions.real);
  }
}

NamedTensors Calibration::save() const {
  NamedTensors tensors;
  for (size_t i = 0; i < batches_.size(); ++i) tensors[batch_name(i)] = batches_[i].hidden;
  return tensors;
}

void Calibration::restore(const WeightSource& saved) {
  for (size_t i = 0; i < batches_.size(); ++i) {
    batches_[i].hidden = saved.tensor(batch_name(i)).clone().to(model_.options().device());
  }
}

}  // namespace lowbit::lm
