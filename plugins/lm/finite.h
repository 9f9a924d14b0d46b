// Whether numbers are numbers.
#pragma once

#include <string>

#include "lm/torch.h"

namespace lowbit::lm {

/// Throws Error{numeric} that names `where` when an element of `weights` is NaN or Inf. One pass over memory.
void check_finite(const at::Tensor& weights, const std::string& where);

}  // namespace lowbit::lm
