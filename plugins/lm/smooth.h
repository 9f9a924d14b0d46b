// SmoothQuant, Xiao et al. 2022 (arXiv:2211.10438): what norms hand to linear layers has few channels that are far
// larger than the others, so activations are hard to round and weights are easy. A scale for each channel moves part
// of that from the one to the other; the model computes the same.
//
// Letters: X [tokens, in] inputs of a group of linears, W [out, in] their weights one under the other,
//          s [in] the scale: X / s and W * s take their places (lm/fold.h).
// Thread rule: free functions without state.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lm/calibration.h"

namespace lowbit::lm {

/// The groups whose inputs come from a norm, by their first linears: {q, gate} or {q, up}. What o and down read is not
/// smoothed, as in the paper (section 4, "Applying SmoothQuant to Transformer blocks").
[[nodiscard]] std::vector<Linear> smoothed_groups(const ModelConfig& config);

/// Throws Error{bad_input} for a model whose norms stand after what they would be folded into (OPT-350M).
void check_can_smooth(const ModelConfig& config);

/// s_j = max |X_j|^alpha / max |W_j|^(1 - alpha), at least 1e-5, as are the maxima of W (equation 4). alpha 1: every
/// channel of X / s reaches 1; alpha 0: every column of W s does. Both [in] -> [in].
/// Throws Error{bad_param} for an alpha outside [0, 1], Error{numeric} for maxima that are not finite.
[[nodiscard]] at::Tensor smoothing_scale(const at::Tensor& input_maxima, const at::Tensor& weight_maxima, double alpha);

/// max |W_j| over all linears of a group: [in].
[[nodiscard]] at::Tensor column_maxima(const ModelConfig& config, const BlockWeights& w, Linear group);

struct SmoothOptions {
  double alpha = 0.5;
  std::map<std::string, Range>* ranges = nullptr;  ///< when not null: gets the ranges of the smoothed block's inputs
  std::map<Linear, at::Tensor>* scales = nullptr;  ///< when not null: gets s of each smoothed group
};

/// The block with smoothed inputs. `observed`: the block as `calibration` computes it, at full precision; the windows
/// are passed on through it. `w`: the same in fp32 or fp64. Replaces tensors of a copy, writes into none.
/// REQUIRES: check_can_smooth(). Throws as smoothing_scale() and add_range() do, naming the block.
[[nodiscard]] BlockWeights smooth_block(const ModelConfig& config, const BlockWeights& observed, BlockWeights w,
                                        int64_t block, Calibration& calibration, const SmoothOptions& options);

/// The norms of a block as a QuantizedModelWriter wants them.
[[nodiscard]] NamedTensors norms_of(const ModelConfig& config, const BlockWeights& w, int64_t block);

}  // namespace lowbit::lm
