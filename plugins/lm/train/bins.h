// Short rows joined to long sequences (packing), so that little of a batch is padding. The rows of a sequence do not
// see each other and each counts its positions from 0: what is computed is what the rows give one by one.
#pragma once

#include <cstdint>
#include <vector>

#include "lm/train/sequences.h"

namespace lowbit::lm::train {

/// Best fit decreasing: rows from the longest to the shortest, of equal ones in their order, each into the bin that it
/// leaves least room in, of equal ones the first, or a new one. Bins of row numbers in the order they were begun.
/// REQUIRES: 0 < length <= size for all.
[[nodiscard]] std::vector<std::vector<int64_t>> best_fit_decreasing(const std::vector<int64_t>& lengths, int64_t size);

/// The rows of each bin as one sequence. REQUIRES: no row is longer than max_length.
[[nodiscard]] std::vector<Sequence> pack(const std::vector<Sequence>& rows, int64_t max_length);

}  // namespace lowbit::lm::train
