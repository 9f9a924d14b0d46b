// The affine grid every weight quantizer here rounds to: w ~ scale * (code - zero), code in 0 .. 2^b - 1.
//
// Which grid, exactly (conventions differ, and at 4 bits and below the difference is visible):
//   asymmetric: the range [min, max] is widened to contain 0; scale = (max - min) / (2^b - 1), zero = round(-min /
//   scale). symmetric:  the range is [-a, a], a = max |w|; scale = 2 a / (2^b - 1), zero = 2^(b-1). The largest weight
//   of positive
//               sign is clipped by half a step: the grid has one level more below zero than above.
//   narrow: symmetric with the step a / (2^(b-1) - 1), codes 1 .. 2^b - 1: nothing is clipped, one level is unused
//               (SmoothQuant, LLM.int8).
//   An all-zero group gets the range [-1, 1]. Rounding is half to even. A scale is rounded to the dtype it is stored in
//   before any weight is rounded to it, so what is evaluated is what is stored.
//
// Letters: m rows (out features), n columns (in features), G groups per row.
// Thread rule: free functions without state.
#pragma once

#include <cstdint>

#include "lm/torch.h"

namespace lowbit::lm {

struct GridOptions {
  int num_bits = 4;         ///< 1 .. 8
  int64_t group_size = -1;  ///< consecutive columns that share a scale, the last group may be shorter; -1: a whole row
  bool symmetric = false;
  bool narrow_range = false;  ///< of a symmetric grid: as many levels above zero as below, step a / (2^(b-1) - 1)
  bool include_zero = true;   ///< of an asymmetric grid: its range is widened to contain 0; AWQ's is not,
                              ///< but where all weights are one
  enum class Range {
    min_max,
    mse  ///< the best of 80 shrunken ranges (factors 1, 0.99, .., 0.21) by sum |error|^2.4
  } range = Range::min_max;
  at::ScalarType scale_dtype = at::kHalf;  ///< kHalf, kBFloat16 or kFloat
};

/// Throws Error{bad_param} that names the option.
void check(const GridOptions& options);

[[nodiscard]] inline int max_code(const GridOptions& options) { return (1 << options.num_bits) - 1; }
/// Columns per group for a matrix of n columns.
[[nodiscard]] inline int64_t group_width(const GridOptions& options, int64_t n) {
  return options.group_size < 0 || options.group_size > n ? n : options.group_size;
}

/// The grid of one group.
struct Grid {
  float scale;
  float zero;  // a whole number
};
/// REQUIRES: n >= 1, all w finite.
[[nodiscard]] Grid fit_grid(const float* w, int64_t n, const GridOptions& options);
/// Nearest code, clamped.
[[nodiscard]] int round_to_grid(float w, const Grid& grid, int max_code);
[[nodiscard]] inline float value_of(int code, const Grid& grid) {
  return grid.scale * (static_cast<float>(code) - grid.zero);
}

// The same for many groups at once, of libtorch's operations, which every device has: for tensors that are not on the
// CPU. The numbers are those of the loops above, but that Range::mse may take another of two ranges whose errors agree
// to the last bits.
struct MatrixGrid {
  at::Tensor scale, zero;  // fp32; [m, G] for a matrix
};

/// Grid of the last dimension: fp32 [.., k] -> scale and zero [.., 1].
[[nodiscard]] MatrixGrid fit_last(const at::Tensor& w, const GridOptions& options);
/// [m, G] for groups of `width` columns -> [m, n]
[[nodiscard]] MatrixGrid by_column(const MatrixGrid& grid, int64_t width, int64_t n);
/// Nearest codes, fp32; shapes broadcast.
[[nodiscard]] inline at::Tensor round_to_grid(const at::Tensor& w, const MatrixGrid& grid, int max_code) {
  return (w / grid.scale).round_().add_(grid.zero).clamp_(0, max_code);
}
[[nodiscard]] inline at::Tensor value_of(const at::Tensor& codes, const MatrixGrid& grid) {
  return (codes - grid.zero).mul_(grid.scale);
}

/// A matrix on its grid.
struct QuantizedMatrix {
  int num_bits = 0;
  bool symmetric = false;   ///< every zero is 2^(b-1) and need not be stored
  at::Tensor codes;         // uint8 [m, n]
  at::Tensor scale;         // scale_dtype [m, G]
  at::Tensor zero;          // uint8 [m, G]
  at::Tensor group_index;   // int32 [n]: group of each column; undefined: consecutive groups of equal width
  int64_t group_width = 0;  ///< columns per group, n for a whole row
};

/// fp32 [m, n], where the codes are.
[[nodiscard]] at::Tensor dequantize(const QuantizedMatrix& matrix);

/// Bits the matrix takes as quantized-model/1 stores it: packed codes and zeros with the padding of their rows (no
/// zeros when symmetric), scales, and 32 bits per column for a group index.
[[nodiscard]] int64_t stored_bits(const QuantizedMatrix& matrix);

}  // namespace lowbit::lm
