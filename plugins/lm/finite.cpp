#include "lm/finite.h"

#include <cmath>

#include "lm/error.h"

namespace lowbit::lm {

void check_finite(const at::Tensor& weights, const std::string& where) {
  // A sum is not finite where an element is not; the other way round only for weights that a sum overflows on.
  const at::ScalarType wide = weights.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  if (std::isfinite(weights.sum(wide).item<double>())) return;
  const auto n_bad = at::isfinite(weights).logical_not().sum().item<int64_t>();
  if (n_bad == 0) return;
  throw Error(Status::numeric,
              {.what = "weights are not finite",
               .where = where,
               .why = std::to_string(n_bad) + " of " + std::to_string(weights.numel()) + " are NaN or Inf",
               .fix = "use an undamaged model"});
}

}  // namespace lowbit::lm
