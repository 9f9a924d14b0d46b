#include "lm/activations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lm/error.h"
#include "lm/fused.h"
#include "lm/tensor_names.h"

namespace lowbit::lm {
namespace {

using Strategy = ActivationGrid::Strategy;
using GridJson = nlohmann::json;

constexpr const char* kStrategies[] = {"tensor", "token", "group"};

/// The value with the gradient of x.
at::Tensor straight_through(const at::Tensor& x, const at::Tensor& value) {
  return x.requires_grad() && c10::GradMode::is_enabled() ? x + (value - x).detach() : value;
}

/// x and the ends of its range (broadcast over x), all fp32 or fp64 -> x on the grid.
at::Tensor on_grid(const at::Tensor& x, const ActivationGrid& grid, const at::Tensor& low, const at::Tensor& high) {
  const double levels = std::exp2(grid.num_bits);
  if (grid.symmetric) {
    const double top = levels / 2 - 1;
    at::Tensor step = at::maximum(low.abs(), high.abs()) / top;
    step = at::where(step == 0, at::ones_like(step), step);
    return (x / step).round().clamp(-top, top) * step;
  }
  const at::Tensor least = low.clamp_max(0);
  at::Tensor step = (high.clamp_min(0) - least) / (levels - 1);
  step = at::where(step == 0, at::ones_like(step), step);
  const at::Tensor zero = (-least / step).round();
  return ((x / step).round() + zero).clamp(0, levels - 1).sub(zero) * step;
}

[[noreturn]] void bad_grid(const std::string& why) {
  throw Error(Status::bad_param, {.what = "activations cannot be rounded to this grid",
                                  .where = "activations",
                                  .why = why,
                                  .fix = "use 2 to 16 bits and a group size that divides what is rounded"});
}

ActivationGrid read_grid(const GridJson& json) {
  ActivationGrid grid{.num_bits = json.at("num_bits").get<int>(), .symmetric = json.at("symmetric").get<bool>()};
  const auto strategy = json.at("strategy").get<std::string>();
  const auto* const known = std::find(std::begin(kStrategies), std::end(kStrategies), strategy);
  if (known == std::end(kStrategies)) throw std::invalid_argument("strategy " + strategy + " is unknown");
  grid.strategy = static_cast<Strategy>(known - std::begin(kStrategies));
  if (grid.strategy == Strategy::group) grid.group_size = json.at("group_size").get<int64_t>();
  return grid;
}

GridJson grid_json(const ActivationGrid& grid) {
  GridJson json{{"num_bits", grid.num_bits},
                {"symmetric", grid.symmetric},
                {"strategy", kStrategies[static_cast<size_t>(grid.strategy)]}};
  if (grid.strategy == Strategy::group) json["group_size"] = grid.group_size;
  return json;
}

}  // namespace

at::Tensor round_activations(const at::Tensor& x, const ActivationGrid& grid, const Range& range) {
  if (grid.num_bits < 2 || grid.num_bits > 16) bad_grid("num_bits is " + std::to_string(grid.num_bits));
  const at::Tensor numbers = x.detach().to(wide(x.scalar_type()));
  const int64_t n = x.size(-1);
  at::Tensor value;
  switch (grid.strategy) {
    case Strategy::tensor: {
      const auto end = [&](double number) { return at::full({1}, number, numbers.options()); };
      value = on_grid(numbers, grid, end(range.low), end(range.high));
      break;
    }
    case Strategy::token: value = on_grid(numbers, grid, numbers.amin(-1, true), numbers.amax(-1, true)); break;
    case Strategy::group: {
      if (grid.group_size < 1 || n % grid.group_size != 0) {
        bad_grid("group_size " + std::to_string(grid.group_size) + " does not divide the width " + std::to_string(n));
      }
      std::vector<int64_t> shape = numbers.sizes().vec();
      shape.back() = n / grid.group_size;
      shape.push_back(grid.group_size);
      const at::Tensor groups = numbers.reshape(shape);
      value = on_grid(groups, grid, groups.amin(-1, true), groups.amax(-1, true)).reshape(x.sizes());
      break;
    }
  }
  return straight_through(x, value.to(x.scalar_type()));
}

at::Tensor round_but_outliers(const at::Tensor& x, const ActivationGrid& grid, double threshold,
                              const at::Tensor& real) {
  at::Tensor large = x.detach().abs() > threshold;
  if (real.defined()) large = large.logical_and(real.unsqueeze(-1));
  const at::Tensor outlier = large.any(1, /*keepdim=*/true);  // [B, 1, n]
  const at::Tensor rounded = round_activations(x.masked_fill(outlier, 0), grid);
  return at::where(outlier, x, rounded);
}

void check(const ActivationRules& rules, const ModelConfig& config) {
  const auto check_grid = [](const ActivationGrid& grid, int64_t width, const std::string& what) {
    if (grid.num_bits < 2 || grid.num_bits > 16) bad_grid("num_bits is " + std::to_string(grid.num_bits));
    if (grid.strategy != Strategy::group || (grid.group_size >= 1 && width % grid.group_size == 0)) return;
    bad_grid("group_size " + std::to_string(grid.group_size) + " does not divide the " + std::to_string(width) + " " +
             what);
  };
  if (rules.inputs) {
    for (const Linear linear : linears(config)) {
      check_grid(*rules.inputs, linear_shape(config, linear).back(), "inputs of " + module_name(config, linear));
    }
  }
  if (rules.kv_cache) check_grid(*rules.kv_cache, config.head_dim, "numbers of a head");
}

ActivationRules replaced(ActivationRules base, const ActivationRules& over) {
  if (over.inputs) {
    base.inputs = over.inputs;
    base.outlier_threshold = over.outlier_threshold;
    base.ranges = over.ranges;
  }
  if (over.qkv_outputs) base.qkv_outputs = over.qkv_outputs;
  if (over.kv_cache) base.kv_cache = over.kv_cache;
  return base;
}

ActivationRules read_activation_rules(const nlohmann::json& json, const std::string& where) {
  ActivationRules rules;
  try {
    if (json.contains("inputs")) rules.inputs = read_grid(json["inputs"]);
    if (json.contains("outlier_threshold")) rules.outlier_threshold = json["outlier_threshold"].get<double>();
    if (json.contains("qkv_outputs")) rules.qkv_outputs = read_grid(json["qkv_outputs"]);
    if (json.contains("kv_cache")) rules.kv_cache = read_grid(json["kv_cache"]);
    const GridJson ranges = json.value("ranges", GridJson::object());
    for (const auto& [module, range] : ranges.items()) {
      rules.ranges[module] = {range.at(0).get<double>(), range.at(1).get<double>()};
    }
  } catch (const std::exception& e) {
    throw Error(Status::bad_input, {.what = "malformed rules for activations",
                                    .where = where,
                                    .why = e.what(),
                                    .fix = "quantize the model again"});
  }
  return rules;
}

nlohmann::json to_json(const ActivationRules& rules) {
  GridJson json = GridJson::object();
  if (rules.inputs) json["inputs"] = grid_json(*rules.inputs);
  if (rules.outlier_threshold) json["outlier_threshold"] = *rules.outlier_threshold;
  if (rules.qkv_outputs) json["qkv_outputs"] = grid_json(*rules.qkv_outputs);
  if (rules.kv_cache) json["kv_cache"] = grid_json(*rules.kv_cache);
  for (const auto& [module, range] : rules.ranges) json["ranges"][module] = {range.low, range.high};
  return json;
}

ActivationHooks hooks_of(const ActivationRules& rules, const ModelConfig& config, int64_t block) {
  const auto range_of = [&](const ActivationGrid& grid, Linear linear) {
    if (grid.strategy != Strategy::tensor) return Range();
    const std::string module = module_of(linear_name(config, block, linear));
    const auto found = rules.ranges.find(module);
    if (found != rules.ranges.end()) return found->second;
    throw Error(Status::bad_input, {.what = "a fixed range of activations is missing",
                                    .where = module,
                                    .why = "activations are rounded within ranges fixed beforehand, and this has none",
                                    .fix = "quantize the model again"});
  };
  ActivationHooks hooks;
  if (rules.inputs) {
    std::map<Linear, Range> ranges;
    for (const Linear linear : linears(config)) {
      if (input_group(config, linear) == linear) ranges[linear] = range_of(*rules.inputs, linear);
    }
    hooks.input = [&rules, ranges](Linear group, const at::Tensor& x, const at::Tensor& real) {
      return rules.outlier_threshold ? round_but_outliers(x, *rules.inputs, *rules.outlier_threshold, real)
                                     : round_activations(x, *rules.inputs, ranges.at(group));
    };
  }
  if (rules.qkv_outputs) {
    if (rules.qkv_outputs->strategy == Strategy::tensor) bad_grid("outputs of q, k and v have no fixed ranges");
    hooks.qkv_output = [&rules](const at::Tensor& y) { return round_activations(y, *rules.qkv_outputs); };
  }
  if (rules.kv_cache) {
    if (rules.kv_cache->strategy == Strategy::tensor) bad_grid("keys and values have no fixed ranges");
    hooks.cached = [&rules](const at::Tensor& heads) { return round_activations(heads, *rules.kv_cache); };
  }
  return hooks;
}

}  // namespace lowbit::lm
