// AWQ (Lin et al. 2023, arXiv:2306.00978): input channels that carry much are multiplied by a scale before their
// weights are rounded, and divided by it in the operation before; then ranges of weights are narrowed where that costs
// the output less. Here one group of linears or one matrix at a time; the walk through a block is
// plugins/quantizer-awq.
//
// Letters: m rows, n columns, G groups per row, N tokens.
// Thread rule: free functions without state.
#pragma once

#include <functional>
#include <vector>

#include "lm/grid.h"

namespace lowbit::lm {

/// s(r) = max(x^r, 1e-4), divided by sqrt(max s * min s), so that the largest and the smallest multiply to 1 (equation
/// 5 of the paper; the normalisation is the authors' code). With `weight_mean`, x^r / (w^(1 - r) + 1e-4) stands for
/// x^r, as later tools have it ("duo scaling"). input_mean: [k], mean |x| of each channel; weight_mean: [k] or
/// undefined. Result: fp32 [k].
[[nodiscard]] at::Tensor awq_scale(const at::Tensor& input_mean, const at::Tensor& weight_mean, double ratio);

/// Mean over the rows of all matrices of |w| / (largest |w| of its group + 1e-6): fp64 [n]. matrices: each [m, n]
[[nodiscard]] at::Tensor awq_weight_mean(const std::vector<at::Tensor>& matrices, const GridOptions& grid);

/// Q(w diag(s)) diag(s)^-1: what of w is left after rounding at this scale. w: [m, n]; s: [n]. Result: fp32 [m, n].
[[nodiscard]] at::Tensor awq_rounded(const at::Tensor& w, const at::Tensor& s, const GridOptions& grid);

/// Mean over tokens and outputs of the squared error of w x, an error e of the weights given: tr(e H e^T) / (2 m).
/// e: [m, n]; hessian: [n, n], 2 E[x x^T]
[[nodiscard]] double awq_layer_loss(const at::Tensor& e, const at::Tensor& hessian);

struct ScaleChoice {
  double ratio = 0;            ///< r
  double loss = 0;             ///< of the chosen ratio
  at::Tensor scale;            // fp32 [k]
  std::vector<double> losses;  ///< of all ratios i / n_grid; the first is round to nearest unless weights have a part
};
/// The ratio i / n_grid, i < n_grid, with the least loss, the smallest of equals. `scale_of`: s(r); `loss_of`: mean
/// squared error of the inspected module's output at a scale.
/// Throws Error{bad_param} when n_grid < 1, Error{numeric} when no ratio gives a finite loss.
[[nodiscard]] ScaleChoice awq_search_scale(int64_t n_grid, const std::function<at::Tensor(double ratio)>& scale_of,
                                           const std::function<double(const at::Tensor& s)>& loss_of);

struct ClipChoice {
  at::Tensor weight;  // fp32 [m, n], clipped
  at::Tensor ratio;   // fp32 [m, G]: 1, 0.95, .. 0.55 of the largest |w|
};
/// For each row and group: weights are clipped to +-ratio * max |w| at the ratio whose rounded weights change the
/// group's part of the output least (mean of squares over the tokens), the largest of equals. `tick`: called now and
/// then, may throw to cancel. w: [m, n]; x: [N, n], tokens that the layer reads
[[nodiscard]] ClipChoice awq_search_clip(const at::Tensor& w, const at::Tensor& x, const GridOptions& grid,
                                         const std::function<void()>& tick = {});

}  // namespace lowbit::lm
