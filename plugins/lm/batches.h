// Which items are computed together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lowbit::lm {

/// Indices of the items of each batch: sorted by length (long first: memory runs out at once or never), ties in input
/// order. REQUIRES: batch_size >= 1.
[[nodiscard]] std::vector<std::vector<size_t>> plan_batches(const std::vector<int64_t>& lengths, int64_t batch_size);

}  // namespace lowbit::lm
