// Rounding of activations, and of keys and values: every number is moved to the grid that integer products or a packed
// cache would hold, and computed on in floating point ("fake quantization"). Combines with any way of storing weights.
//
// Grids: symmetric, the range is [-a, a], a = max |x|, the step a / (2^(b-1) - 1), as many levels above zero as below;
// asymmetric, as weights have it (lm/grid.h). Ranges are computed in fp32; rounding is half to even. Gradients pass
// through as if nothing were rounded.
// Thread rule: free functions without state.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "lm/block.h"
#include "lm/torch.h"

namespace lowbit::lm {

struct ActivationGrid {
  int num_bits = 8;  ///< 2 .. 16
  bool symmetric = true;
  enum class Strategy {
    tensor,  ///< one range, fixed beforehand
    token,   ///< each token its own
    group    ///< each `group_size` neighbours of a token their own
  } strategy = Strategy::token;
  int64_t group_size = -1;  ///< of Strategy::group; must divide the width
};

struct Range {
  double low = 0, high = 0;
};

/// x [.., n] on its grid, in its dtype. `range`: of Strategy::tensor, numbers beyond it are clamped.
/// Throws Error{bad_param} for a grid that does not fit.
[[nodiscard]] at::Tensor round_activations(const at::Tensor& x, const ActivationGrid& grid, const Range& range = {});

/// LLM.int8 (Dettmers et al. 2022, section 3.2): columns of a sequence in which any |x| exceeds `threshold` stay as
/// they are and do not count in the ranges of the others. x: [B, T, n]. The authors take columns over a whole batch;
/// taken by sequence, and over its tokens alone, an answer does not depend on what is computed beside it. `real`: bool
/// [B, T], false on padding; undefined: none is. Threshold infinity: round_activations().
[[nodiscard]] at::Tensor round_but_outliers(const at::Tensor& x, const ActivationGrid& grid, double threshold,
                                            const at::Tensor& real = {});

/// What is rounded in a model, as quantization.json has it under `activations`.
struct ActivationRules {
  std::optional<ActivationGrid> inputs;       ///< of the linears of the blocks
  std::optional<double> outlier_threshold;    ///< of inputs, see round_but_outliers()
  std::optional<ActivationGrid> qkv_outputs;  ///< of q, k and v, before positions
  std::optional<ActivationGrid> kv_cache;     ///< keys (with their positions) and values, a head being a row
  std::map<std::string, Range> ranges;        ///< of Strategy::tensor, by module name; a group of linears by its first

  [[nodiscard]] bool empty() const { return !inputs && !qkv_outputs && !kv_cache; }
};

/// Refuses, before a model is written, groups that do not divide what they cut up. Throws Error{bad_param}.
void check(const ActivationRules& rules, const ModelConfig& config);

/// `base`, with all that `over` says in its place: its inputs come with its threshold and ranges.
[[nodiscard]] ActivationRules replaced(ActivationRules base, const ActivationRules& over);

/// Throws Error{bad_input} that names `where`.
[[nodiscard]] ActivationRules read_activation_rules(const nlohmann::json& json, const std::string& where);
[[nodiscard]] nlohmann::json to_json(const ActivationRules& rules);

/// What a block does with its activations under the rules. `rules` must outlive it.
/// Throws Error{bad_input} when a fixed range is missing.
[[nodiscard]] ActivationHooks hooks_of(const ActivationRules& rules, const ModelConfig& config, int64_t block);

}  // namespace lowbit::lm
