// Sums and products of matrices as one matrix.
#pragma once

#include "answers/expression.h"

namespace lowbit::answers {

/// The node with sums, products with numbers or matrices, and small whole powers of matrices carried out; shapes that
/// do not fit are left as they are. Throws TooLarge.
[[nodiscard]] Node with_matrices_computed(const Node& node);

}  // namespace lowbit::answers
