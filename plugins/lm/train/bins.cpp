#include "lm/train/bins.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace lowbit::lm::train {

std::vector<std::vector<int64_t>> best_fit_decreasing(const std::vector<int64_t>& lengths, int64_t size) {
  const auto length = [&](int64_t row) { return lengths[static_cast<size_t>(row)]; };
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return length(a) > length(b); });
  std::vector<std::vector<int64_t>> bins;
  std::set<std::pair<int64_t, size_t>> open;  // room and number of each bin
  for (const int64_t row : order) {
    const auto best = open.lower_bound({length(row), 0});
    std::pair<int64_t, size_t> bin{size, bins.size()};
    if (best == open.end()) {
      bins.emplace_back();
    } else {
      bin = *best;
      open.erase(best);
    }
    bins[bin.second].push_back(row);
    open.emplace(bin.first - length(row), bin.second);
  }
  return bins;
}

std::vector<Sequence> pack(const std::vector<Sequence>& rows, int64_t max_length) {
  std::vector<int64_t> lengths;
  lengths.reserve(rows.size());
  for (const Sequence& row : rows) lengths.push_back(row.length());
  std::vector<Sequence> packed;
  for (const auto& bin : best_fit_decreasing(lengths, max_length)) {
    Sequence& sequence = packed.emplace_back();
    for (const int64_t i : bin) {
      sequence.starts.push_back(sequence.length());
      append(sequence, rows[static_cast<size_t>(i)], 0);
    }
  }
  return packed;
}

}  // namespace lowbit::lm::train
