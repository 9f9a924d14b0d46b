#include "lm/rtn.h"

#include "lm/finite.h"

namespace lowbit::lm {

at::Tensor finite_copy(const at::Tensor& w) {
  at::Tensor copy = w.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).contiguous();
  check_finite(copy, "the matrix to quantize");
  return copy;
}

MatrixGrid fit_matrix_grid(const at::Tensor& w, const GridOptions& options) {
  const int64_t m = w.size(0);
  const int64_t n = w.size(1);
  const int64_t width = group_width(options, n);
  if (!w.device().is_cpu()) {
    const int64_t whole = n / width * width;  // columns in groups of full width
    MatrixGrid grid = fit_last(w.narrow(1, 0, whole).reshape({m, whole / width, width}), options);
    grid = {grid.scale.squeeze(-1), grid.zero.squeeze(-1)};
    if (whole == n) return grid;
    const MatrixGrid last = fit_last(w.narrow(1, whole, n - whole), options);
    return {at::cat({grid.scale, last.scale}, 1), at::cat({grid.zero, last.zero}, 1)};
  }
  const int64_t n_groups = (n + width - 1) / width;
  MatrixGrid result{.scale = at::empty({m, n_groups}, at::kFloat), .zero = at::empty({m, n_groups}, at::kFloat)};
  const float* const data = w.data_ptr<float>();
  auto* const scale = result.scale.data_ptr<float>();
  auto* const zero = result.zero.data_ptr<float>();
  at::parallel_for(0, m, 16, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      for (int64_t g = 0; g < n_groups; ++g) {
        const Grid grid = fit_grid(data + r * n + g * width, std::min(width, n - g * width), options);
        scale[r * n_groups + g] = grid.scale;
        zero[r * n_groups + g] = grid.zero;
      }
    }
  });
  return result;
}

QuantizedMatrix quantize_rtn(const at::Tensor& w, const GridOptions& options) {
  check(options);
  const at::Tensor source = finite_copy(w);
  const int64_t m = source.size(0);
  const int64_t n = source.size(1);
  const int64_t width = group_width(options, n);
  const MatrixGrid grid = fit_matrix_grid(source, options);
  const int64_t n_groups = grid.scale.size(1);
  QuantizedMatrix result{.num_bits = options.num_bits,
                         .symmetric = options.symmetric,
                         .codes = {},
                         .scale = grid.scale.to(options.scale_dtype),
                         .zero = grid.zero.to(at::kByte),
                         .group_index = {},
                         .group_width = width};
  if (!source.device().is_cpu()) {
    result.codes = round_to_grid(source, by_column(grid, width, n), max_code(options)).to(at::kByte);
    return result;
  }
  result.codes = at::empty({m, n}, at::kByte);
  const float* const data = source.data_ptr<float>();
  const float* const scale = grid.scale.data_ptr<float>();
  const float* const zero = grid.zero.data_ptr<float>();
  auto* const codes = result.codes.data_ptr<uint8_t>();
  const int top = max_code(options);
  at::parallel_for(0, m, 16, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      for (int64_t j = 0; j < n; ++j) {
        const int64_t g = r * n_groups + j / width;
        codes[r * n + j] = static_cast<uint8_t>(round_to_grid(data[r * n + j], {scale[g], zero[g]}, top));
      }
    }
  });
  return result;
}

QuantizedMatrix quantize_rtn_per_tensor(const at::Tensor& w, const GridOptions& options) {
  check(options);
  const at::Tensor source = finite_copy(w);
  const int64_t m = source.size(0);
  GridOptions of_all = options;
  of_all.group_size = -1;
  const MatrixGrid grid = fit_matrix_grid(source.view({1, -1}), of_all);
  return {.num_bits = options.num_bits,
          .symmetric = options.symmetric,
          .codes = round_to_grid(source, grid, max_code(options)).to(at::kByte),
          .scale = grid.scale.to(options.scale_dtype).expand({m, 1}).contiguous(),
          .zero = grid.zero.to(at::kByte).expand({m, 1}).contiguous(),
          .group_index = {},
          .group_width = source.size(1)};
}

}  // namespace lowbit::lm
