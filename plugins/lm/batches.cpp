#include "lm/batches.h"

#include <algorithm>
#include <numeric>

namespace lowbit::lm {

std::vector<std::vector<size_t>> plan_batches(const std::vector<int64_t>& lengths, int64_t batch_size) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<size_t>> batches;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i % static_cast<size_t>(batch_size) == 0) batches.emplace_back();
    batches.back().push_back(order[i]);
  }
  return batches;
}

}  // namespace lowbit::lm
