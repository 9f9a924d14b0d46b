#include "lm/gptq.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "lm/error.h"
#include "lm/hessian.h"
#include "lm/rtn.h"

namespace lowbit::lm {
namespace {

/// Where a block of columns ends. Groups with a grid of their own time start where a block starts or lie inside one, so
/// that every weight they are fitted to has received all feedback from the columns before it.
int64_t block_end(int64_t begin, int64_t n, int64_t block_size, int64_t width) {
  if (width >= block_size) return std::min({begin + block_size, (begin / width + 1) * width, n});
  return std::min(begin + block_size / width * width, n);
}

/// Grids of the columns in the order they are processed.
struct ColumnGrids {
  MatrixGrid grid;             // [m, G]
  std::vector<int64_t> group;  // [n]: group of each processed column
  bool fit_on_arrival;         // a group's grid is written when its first column is reached
};

/// Processes columns [begin, end) of the rows: rounds each and feeds its error to the columns after it in the block.
/// w: [m, n] is updated; u: [n, n]; error: [m, end - begin]; codes: [m, n]
void quantize_block(at::Tensor& w, const at::Tensor& u, int64_t begin, int64_t end, const GridOptions& options,
                    ColumnGrids& grids, at::Tensor& error, at::Tensor& codes) {
  const int64_t m = w.size(0);
  const int64_t n = w.size(1);
  const int64_t n_groups = grids.grid.scale.size(1);
  const int64_t width = group_width(options, n);
  const int64_t length = end - begin;
  const int top = max_code(options);
  auto* const w_data = w.data_ptr<float>();
  const auto* const u_data = u.data_ptr<float>();
  auto* const error_data = error.data_ptr<float>();
  auto* const code_data = codes.data_ptr<uint8_t>();
  auto* const scale_data = grids.grid.scale.data_ptr<float>();
  auto* const zero_data = grids.grid.zero.data_ptr<float>();
  at::parallel_for(0, m, 1, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      float* const row = w_data + r * n;
      for (int64_t i = begin; i < end; ++i) {
        const int64_t group = grids.group[static_cast<size_t>(i)];
        const int64_t at = r * n_groups + group;
        if (grids.fit_on_arrival && i % width == 0) {
          const Grid fitted = fit_grid(row + i, std::min(width, n - i), options);
          scale_data[at] = fitted.scale;
          zero_data[at] = fitted.zero;
        }
        const Grid grid{scale_data[at], zero_data[at]};
        const int code = round_to_grid(row[i], grid, top);
        code_data[r * n + i] = static_cast<uint8_t>(code);
        const float* const u_row = u_data + i * n;
        const float e = (row[i] - value_of(code, grid)) / u_row[i];
        error_data[r * length + (i - begin)] = e;
        for (int64_t j = i + 1; j < end; ++j) row[j] -= e * u_row[j];
      }
    }
  });
}

/// The same for tensors of other devices: a column of all rows at a time.
void quantize_columns(at::Tensor& w, const at::Tensor& u, int64_t begin, int64_t end, const GridOptions& options,
                      ColumnGrids& grids, at::Tensor& error, at::Tensor& codes) {
  const int64_t n = w.size(1);
  const int64_t width = group_width(options, n);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t group = grids.group[static_cast<size_t>(i)];
    const MatrixGrid grid{grids.grid.scale.narrow(1, group, 1), grids.grid.zero.narrow(1, group, 1)};
    if (grids.fit_on_arrival && i % width == 0) {
      const MatrixGrid fitted = fit_last(w.narrow(1, i, std::min(width, n - i)), options);
      grid.scale.copy_(fitted.scale);
      grid.zero.copy_(fitted.zero);
    }
    const at::Tensor column = w.narrow(1, i, 1);
    const at::Tensor code = round_to_grid(column, grid, max_code(options));
    codes.narrow(1, i, 1).copy_(code);
    const at::Tensor u_row = u.narrow(0, i, 1).narrow(1, i, end - i);
    const at::Tensor e = (column - value_of(code, grid)).div_(u_row.narrow(1, 0, 1));
    error.narrow(1, i - begin, 1).copy_(e);
    w.narrow(1, i, end - i).addcmul_(e, u_row, -1);  // the column itself too, which nobody reads again
  }
}

void check_options(const GptqOptions& options) {
  check(options.grid);
  if (options.dampening_frac < 0 || options.block_size < 1) {
    throw Error(Status::bad_param, {.what = "dampening_frac or block_size is out of range",
                                    .where = "dampening_frac",
                                    .why = "it is " + std::to_string(options.dampening_frac) + ", block_size is " +
                                           std::to_string(options.block_size),
                                    .fix = "use a dampening_frac of 0 or more and a block_size of 1 or more"});
  }
}

[[noreturn]] void wrong_moments(int64_t n_columns, int64_t n_features) {
  throw Error(Status::bad_param, {.what = "the second moments do not belong to this matrix",
                                  .where = "hessian",
                                  .why = "the matrix has " + std::to_string(n_columns) +
                                         " columns, the moments are of " + std::to_string(n_features) + " features",
                                  .fix = "collect them at this layer's input"});
}

/// U with as little dampening as it takes; none when options.fallback is to be taken.
std::optional<at::Tensor> damped_factor(const at::Tensor& h, const GptqOptions& options, double& dampening_frac) {
  constexpr double kFirstRaised = 1e-3;
  for (dampening_frac = options.dampening_frac;; dampening_frac = std::max(2 * dampening_frac, kFirstRaised)) {
    const bool is_last = std::max(2 * dampening_frac, kFirstRaised) > options.max_dampening_frac;
    if (is_last && options.fallback == GptqOptions::Fallback::none) return inverse_cholesky(h, dampening_frac);
    if (auto u = find_inverse_cholesky(h, dampening_frac)) return u;
    if (is_last) return std::nullopt;
  }
}

GptqResult rounded_to_nearest(const at::Tensor& w, const GptqInputs& inputs, const GptqOptions& options) {
  GptqResult result{
      .matrix = quantize_rtn(w, options.grid), .n_dead = inputs.dead.sum().item<int64_t>(), .is_rtn = true};
  result.relative_loss = relative_loss(w - dequantize(result.matrix), w, inputs.hessian);
  return result;
}

}  // namespace

GptqInputs prepare_gptq(const at::Tensor& hessian, const GptqOptions& options) {
  check_options(options);
  if (hessian.dim() != 2 || hessian.size(0) != hessian.size(1)) wrong_moments(hessian.size(-1), hessian.size(0));
  GptqInputs inputs{.hessian = hessian.to(at::kFloat), .dead = {}, .order = {}, .u = {}, .dampening_frac = 0};
  at::Tensor h = inputs.hessian.clone();
  inputs.dead = h.diagonal() == 0;
  h.diagonal().masked_fill_(inputs.dead, 1);
  if (options.actorder != GptqOptions::ActOrder::none) {
    inputs.order = std::get<1>(at::sort(h.diagonal(), /*stable=*/true, /*dim=*/0, /*descending=*/true));
    h = h.index_select(0, inputs.order).index_select(1, inputs.order);
  }
  if (auto u = damped_factor(h, options, inputs.dampening_frac)) inputs.u = std::move(*u);
  return inputs;
}

GptqResult quantize_gptq(const at::Tensor& w, const at::Tensor& hessian, const GptqOptions& options) {
  check_options(options);
  if (w.dim() != 2 || hessian.dim() != 2 || hessian.size(0) != w.size(1)) wrong_moments(w.size(-1), hessian.size(0));
  return quantize_gptq(w, prepare_gptq(hessian, options), options);
}

GptqResult quantize_gptq(const at::Tensor& weight, const GptqInputs& inputs, const GptqOptions& options) {
  check_options(options);
  if (weight.dim() != 2 || inputs.hessian.size(0) != weight.size(1))
    wrong_moments(weight.size(-1), inputs.hessian.size(0));
  using ActOrder = GptqOptions::ActOrder;
  const at::Tensor original = finite_copy(weight);
  if (!inputs.u.defined()) return rounded_to_nearest(original, inputs, options);
  GptqResult result;
  result.dampening_frac = inputs.dampening_frac;
  at::Tensor w = original.clone();
  const int64_t m = w.size(0);
  const int64_t n = w.size(1);
  const int64_t width = group_width(options.grid, n);

  result.n_dead = inputs.dead.sum().item<int64_t>();
  w.masked_fill_(inputs.dead.unsqueeze(0), 0);

  const bool natural_groups = options.static_groups || options.actorder == ActOrder::fixed;
  ColumnGrids grids{
      .grid = {}, .group = std::vector<int64_t>(static_cast<size_t>(n)), .fit_on_arrival = !natural_groups};
  if (natural_groups) grids.grid = fit_matrix_grid(w, options.grid);

  const at::Tensor& order = inputs.order;
  const at::Tensor& u = inputs.u;
  if (order.defined()) w = w.index_select(1, order);
  const at::Tensor column = natural_groups && order.defined() ? order.cpu() : at::arange(n, at::kLong);
  const auto* const column_at = column.data_ptr<int64_t>();
  for (int64_t i = 0; i < n; ++i) grids.group[static_cast<size_t>(i)] = column_at[i] / width;
  if (grids.fit_on_arrival) {
    const int64_t n_groups = (n + width - 1) / width;
    grids.grid = {.scale = at::empty({m, n_groups}, w.options()), .zero = at::empty({m, n_groups}, w.options())};
  }

  const auto quantize_some = w.device().is_cpu() ? quantize_block : quantize_columns;
  at::Tensor codes = at::empty({m, n}, w.options().dtype(at::kByte));
  for (int64_t begin = 0; begin < n;) {
    const int64_t end = block_end(begin, n, options.block_size, width);
    at::Tensor error = at::empty({m, end - begin}, w.options());
    quantize_some(w, u, begin, end, options.grid, grids, error, codes);
    if (end < n)
      w.narrow(1, end, n - end).addmm_(error, u.narrow(0, begin, end - begin).narrow(1, end, n - end), 1, -1);
    begin = end;
  }

  QuantizedMatrix& q = result.matrix;
  q = {.num_bits = options.grid.num_bits,
       .symmetric = options.grid.symmetric,
       .codes = codes,
       .scale = grids.grid.scale.to(options.grid.scale_dtype),
       .zero = grids.grid.zero.to(at::kByte),
       .group_index = {},
       .group_width = width};
  if (order.defined()) {
    const at::Tensor back = order.argsort();
    q.codes = codes.index_select(1, back);
    if (options.actorder == ActOrder::grouped && width < n) {
      q.group_index = back.div(width, "floor").to(at::kInt);
    }
  }
  result.relative_loss = relative_loss(original - dequantize(q), original, inputs.hessian);
  return result;
}

}  // namespace lowbit::lm
