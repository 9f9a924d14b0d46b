#include "lm/grid.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "lm/error.h"
#include "lm/packing.h"

namespace lowbit::lm {
namespace {

/// The nearest number that the storage dtype holds, never 0: a group of tiny weights must not divide by it.
float as_stored(float scale, at::ScalarType dtype) {
  if (dtype == at::kHalf) {
    constexpr float kSmallest = 5.9604645e-8F;  // 2^-24
    return std::max(static_cast<float>(c10::Half(scale)), kSmallest);
  }
  if (dtype == at::kBFloat16) return std::max(static_cast<float>(c10::BFloat16(scale)), 1e-38F);
  return std::max(scale, 1e-38F);
}

Grid grid_of_range(float low, float high, const GridOptions& options) {
  const int top = max_code(options);
  const int n_steps = options.symmetric && options.narrow_range ? top - 1 : top;
  Grid grid{.scale = as_stored((high - low) / static_cast<float>(n_steps), options.scale_dtype), .zero = 0};
  grid.zero = options.symmetric ? static_cast<float>(1 << (options.num_bits - 1))
                                : std::clamp(std::nearbyint(-low / grid.scale), 0.0F, static_cast<float>(top));
  return grid;
}

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

  // Frantar et al. 2022, the reference's --mse: the same constants.
  constexpr int kTried = 80;
  constexpr float kNorm = 2.4F;
  double best_error = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTried; ++i) {
    const float p = 1 - static_cast<float>(i) / 100;
    const Grid grid = grid_of_range(p * low, p * high, options);
    double error = 0;
    for (int64_t j = 0; j < n; ++j) {
      error += std::pow(std::abs(value_of(round_to_grid(w[j], grid, max_code(options)), grid) - w[j]), kNorm);
    }
    if (error < best_error) {
      best_error = error;
      best = grid;
    }
  }
  return best;
}

at::Tensor dequantize(const QuantizedMatrix& matrix) {
  at::Tensor scale = matrix.scale.to(at::kFloat);
  at::Tensor zero = matrix.zero.to(at::kFloat);
  const int64_t n = matrix.codes.size(1);
  const at::Tensor index = matrix.group_index.defined() ? matrix.group_index.to(at::kLong)
                                                        : at::arange(n, at::kLong).div(matrix.group_width, "floor");
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
