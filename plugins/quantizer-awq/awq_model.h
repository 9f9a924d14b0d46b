// AWQ over a whole model: one block in memory at a time. All scales and clips of a block are searched on the inputs
// that its linears have in the block as it was, as in the authors' code.
#pragma once

#include <functional>
#include <map>

#include "lm/awq.h"
#include "lm/calibration.h"

namespace lowbit::awq {

struct Options {
  lm::GridOptions grid;
  int64_t n_grid = 20;       ///< ratios tried: i / n_grid
  bool duo_scaling = false;  ///< scales from inputs and weights
  bool clip = true;
  int64_t clip_tokens = 512;         ///< tokens the clip search looks at, evenly spread; up to twice as many
  bool tied = false;                 ///< from v to o also where query heads share value heads
  bool propagate_quantized = false;  ///< the next block's inputs come from the quantized weights
  std::function<void()> tick;        ///< called now and then, may throw to cancel
};

struct QuantizedLinear {
  lm::Linear linear;
  lm::QuantizedMatrix matrix;
  at::Tensor folded;         // [m, n] fp32: the weights that were rounded, before clipping
  double relative_loss = 0;  ///< tr((W-Q)H(W-Q)^T) / tr(W H W^T) with all scales taken back, so that W is the model's
  at::Tensor clip_ratio;     // [m, G]; undefined: not searched
};

/// By the groups' names, in the order of the block; groups whose input cannot be scaled are left out.
using Scales = std::map<lm::Linear, lm::ScaleChoice>;

/// Scales, clips and rounds the linears of a block and passes the calibration windows on to the next block. On return w
/// holds the folded norms and biases and the rounded matrices. `done` is called for each linear, in order.
/// w: fp32, whatever dtype the calibration computes in. `block`: for messages. Throws lm::Error naming block and group.
[[nodiscard]] Scales quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, int64_t block,
                                    lm::Calibration& calibration, const Options& options,
                                    const std::function<void(QuantizedLinear)>& done);

}  // namespace lowbit::awq
