// Round to nearest: every weight to the closest point of its group's grid. The baseline; needs no data.
#pragma once

#include "lm/grid.h"

namespace lowbit::lm {

/// w: [m, n], any floating dtype; the result lies where it does. Throws Error{bad_param}, and Error{numeric} when a
/// weight is not finite.
[[nodiscard]] QuantizedMatrix quantize_rtn(const at::Tensor& w, const GridOptions& options);

/// The same with one grid for the whole matrix, stored as if every row had it; group_size does not count.
[[nodiscard]] QuantizedMatrix quantize_rtn_per_tensor(const at::Tensor& w, const GridOptions& options);

/// Grids of all groups: [m, G]. w: fp32 contiguous [m, n], finite.
[[nodiscard]] MatrixGrid fit_matrix_grid(const at::Tensor& w, const GridOptions& options);

/// Contiguous fp32 copy of `w`. Throws Error{numeric} when an element is not finite.
[[nodiscard]] at::Tensor finite_copy(const at::Tensor& w);

}  // namespace lowbit::lm
