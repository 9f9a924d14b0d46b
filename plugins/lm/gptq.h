// GPTQ (Frantar et al. 2022, arXiv:2210.17323): rounds a matrix column by column and spreads each column's error over
// the columns to come, weighted by the second moments of the layer's inputs, so that tr((W - Q) H (W - Q)^T) stays
// small. Fast version (blocks of columns, Algorithm 1 of the paper); its slow fp64 twins are in tests/numerics/support.
#pragma once

#include "lm/grid.h"

namespace lowbit::lm {

struct GptqOptions {
  GridOptions grid;
  double dampening_frac = 0.01;  ///< added to the diagonal of H, relative to its mean
  enum class ActOrder {
    none,    ///< columns in their natural order
    fixed,   ///< columns with large inputs first, on grids of their natural groups ("static" in the literature)
    grouped  ///< columns with large inputs first, groups formed in that order: needs a group index ("group")
  } actorder = ActOrder::none;
  /// Grids from the weights before any feedback. Off (and not ActOrder::fixed): a group's grid is fitted when its first
  /// column is reached, to the weights as they are then.
  bool static_groups = false;
  int64_t block_size = 128;  ///< columns per lazy update; changes nothing but rounding in the last bit

  /// While the damped moments cannot be factorized, dampening_frac is doubled, up to this. At or below dampening_frac:
  /// it stays as it is.
  double max_dampening_frac = 1;
  /// Where no dampening helps: an error, or rounding to nearest, which is recorded in the result.
  enum class Fallback { none, rtn } fallback = Fallback::none;
};

struct GptqResult {
  QuantizedMatrix matrix;
  double relative_loss = 0;   ///< tr((W - Q) H (W - Q)^T) / tr(W H W^T)
  int64_t n_dead = 0;         ///< columns that no input ever excites; their weights become 0
  double dampening_frac = 0;  ///< what was needed
  bool is_rtn = false;        ///< rounded to nearest, for want of a factorization
};

/// What a matrix is quantized along: the same for all linears that read the same input.
struct GptqInputs {
  at::Tensor hessian;  // [n, n] fp32, as given
  at::Tensor dead;     // bool [n]: columns that no input ever excites
  at::Tensor order;    // int64 [n]: processed column -> column of the matrix; undefined: their natural order
  at::Tensor u;        // inverse_cholesky() in the order of processing, the diagonal of dead columns 1; undefined:
                       // no dampening helps, and options.fallback is to be taken
  double dampening_frac = 0;  // what was needed
};
/// hessian: [n, n], 2 E[x x^T] (a constant factor changes nothing). Throws Error{bad_param, numeric}.
[[nodiscard]] GptqInputs prepare_gptq(const at::Tensor& hessian, const GptqOptions& options);
/// w: [m, n], on the device of `inputs`, which are of prepare_gptq() with the same options; the result lies there too.
/// Throws Error{bad_param, numeric}.
[[nodiscard]] GptqResult quantize_gptq(const at::Tensor& w, const GptqInputs& inputs, const GptqOptions& options);

/// Both at once, for one matrix.
[[nodiscard]] GptqResult quantize_gptq(const at::Tensor& w, const at::Tensor& hessian, const GptqOptions& options);

}  // namespace lowbit::lm
