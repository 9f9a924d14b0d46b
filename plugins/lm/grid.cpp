#include "lm/grid.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "lm/error.h"
#include "lm/packing.h"

namespace lowbit::lm {
namespace {

float least_scale(at::ScalarType dtype) { return dtype == at::kHalf ? 5.9604645e-8F /* 2^-24 */ : 1e-38F; }

/// The nearest number that the storage dtype holds, never 0: a group of tiny weights must not divide by it.
float as_stored(float scale, at::ScalarType dtype) {
  const float stored = dtype == at::kHalf       ? static_cast<float>(c10::Half(scale))
                       : dtype == at::kBFloat16 ? static_cast<float>(c10::BFloat16(scale))
                                                : scale;
  return std::max(stored, least_scale(dtype));
}

/// From the lowest to the highest code in use.
int n_steps(const GridOptions& options) {
  return options.symmetric && options.narrow_range ? max_code(options) - 1 : max_code(options);
}

Grid grid_of_range(float low, float high, const GridOptions& options) {
  Grid grid{.scale = as_stored((high - low) / static_cast<float>(n_steps(options)), options.scale_dtype), .zero = 0};
  grid.zero = options.symmetric
                  ? static_cast<float>(1 << (options.num_bits - 1))
                  : std::clamp(std::nearbyint(-low / grid.scale), 0.0F, static_cast<float>(max_code(options)));
  return grid;
}

/// The same of many ranges at once.
MatrixGrid grids_of_ranges(const at::Tensor& low, const at::Tensor& high, const GridOptions& options) {
  // Divided by a tensor: by a number, a GPU multiplies with its reciprocal.
  const at::Tensor exact = (high - low) / at::full_like(high, n_steps(options));
  const at::Tensor scale = exact.to(options.scale_dtype).to(at::kFloat).clamp_min_(least_scale(options.scale_dtype));
  return {scale, options.symmetric ? at::full_like(scale, 1 << (options.num_bits - 1))
                                   : (low.neg() / scale).round_().clamp_(0, max_code(options))};
}

// Frantar et al. 2022, the reference's --mse: the same constants.
constexpr int kRangesTried = 80;
constexpr float kErrorNorm = 2.4F;
float range_tried(int i) { return 1 - static_cast<float>(i) / 100; }

}  // namespace

void check(const GridOptions& options) {
  if (options.num_bits < 1 || options.num_bits > 8) {
    throw Error(Status::bad_param, {.what = "num_bits is out of range",
                                    .where = "num_bits",
                                    .why = "it is " + std::to_string(options.num_bits) + ", codes have 1 to 8 bits",
                                    .fix = "use a value from 1 to 8"});
  }
  if (options.group_size != -1 && options.group_size < 1) {
    throw Error(Status::bad_param, {.what = "group_size is out of range",
                                    .where = "group_size",
                                    .why = "it is " + std::to_string(options.group_size),
                                    .fix = "use a positive number of weights, or -1 for whole rows"});
  }
  if (options.narrow_range && (!options.symmetric || options.num_bits < 2)) {
    throw Error(Status::bad_param, {.what = "a narrow range needs a symmetric grid of at least 2 bits",
                                    .where = "narrow_range",
                                    .why = "as many levels above zero as below exist only there",
                                    .fix = "set symmetric, or leave narrow_range off"});
  }
}

int round_to_grid(float w, const Grid& grid, int max_code) {
  const float code = std::nearbyint(w / grid.scale) + grid.zero;
  return static_cast<int>(std::clamp(code, 0.0F, static_cast<float>(max_code)));
}

Grid fit_grid(const float* w, int64_t n, const GridOptions& options) {
  const auto [min, max] = std::minmax_element(w, w + n);
  const bool with_zero = options.symmetric || options.include_zero || *min == *max;
  float low = with_zero ? std::min(*min, 0.0F) : *min;
  float high = with_zero ? std::max(*max, 0.0F) : *max;
  if (low == 0 && high == 0) {
    low = -1;
    high = 1;
  } else if (options.symmetric) {
    high = std::max(-low, high);
    low = -high;
  }
  Grid best = grid_of_range(low, high, options);
  if (options.range == GridOptions::Range::min_max) return best;

  double best_error = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRangesTried; ++i) {
    const float p = range_tried(i);
    const Grid grid = grid_of_range(p * low, p * high, options);
    double error = 0;
    for (int64_t j = 0; j < n; ++j) {
      error += std::pow(std::abs(value_of(round_to_grid(w[j], grid, max_code(options)), grid) - w[j]), kErrorNorm);
    }
    if (error < best_error) {
      best_error = error;
      best = grid;
    }
  }
  return best;
}

MatrixGrid fit_last(const at::Tensor& w, const GridOptions& options) {
  at::Tensor low = w.amin(-1, /*keepdim=*/true);
  at::Tensor high = w.amax(-1, /*keepdim=*/true);
  const at::Tensor with_zero = options.symmetric || options.include_zero ? at::ones_like(low, at::kBool) : low == high;
  low = at::where(with_zero, low.clamp_max(0), low);
  high = at::where(with_zero, high.clamp_min(0), high);
  const at::Tensor none = (low == 0).logical_and(high == 0);
  if (options.symmetric) {
    high = at::maximum(low.neg(), high);
    low = high.neg();
  }
  low = low.masked_fill(none, -1);
  high = high.masked_fill(none, 1);
  MatrixGrid best = grids_of_ranges(low, high, options);
  if (options.range == GridOptions::Range::min_max) return best;

  at::Tensor least;
  for (int i = 0; i < kRangesTried; ++i) {
    const float p = range_tried(i);
    const MatrixGrid grid = grids_of_ranges(low * p, high * p, options);
    const at::Tensor values = value_of(round_to_grid(w, grid, max_code(options)), grid);
    const at::Tensor error = values.sub_(w).abs_().pow_(kErrorNorm).sum(-1, /*keepdim=*/true, at::kDouble);
    if (i == 0) {
      least = error;
      continue;
    }
    const at::Tensor better = error < least;
    least = at::where(better, error, least);
    best = {at::where(better, grid.scale, best.scale), at::where(better, grid.zero, best.zero)};
  }
  return best;
}

MatrixGrid by_column(const MatrixGrid& grid, int64_t width, int64_t n) {
  const at::Tensor index = at::arange(n, grid.scale.options().dtype(at::kLong)).div(width, "floor");
  return {grid.scale.index_select(1, index), grid.zero.index_select(1, index)};
}

at::Tensor dequantize(const QuantizedMatrix& matrix) {
  at::Tensor scale = matrix.scale.to(at::kFloat);
  at::Tensor zero = matrix.zero.to(at::kFloat);
  const int64_t n = matrix.codes.size(1);
  const at::Tensor index =
      matrix.group_index.defined()
          ? matrix.group_index.to(at::kLong)
          : at::arange(n, matrix.codes.options().dtype(at::kLong)).div(matrix.group_width, "floor");
  scale = scale.index_select(1, index);
  zero = zero.index_select(1, index);
  return scale * (matrix.codes.to(at::kFloat) - zero);
}

int64_t stored_bits(const QuantizedMatrix& matrix) {
  const int64_t m = matrix.codes.size(0);
  const int64_t n = matrix.codes.size(1);
  const int64_t n_groups = matrix.scale.size(1);
  int64_t bits = m * 8 * packed_bytes(n, matrix.num_bits);
  bits += m * n_groups * 8 * static_cast<int64_t>(matrix.scale.element_size());
  if (!matrix.symmetric) bits += m * 8 * packed_bytes(n_groups, matrix.num_bits);
  if (matrix.group_index.defined()) bits += n * 32;
  return bits;
}

}  // namespace lowbit::lm
