#include "report/pareto_front.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace lowbit::report {

std::vector<std::size_t> pareto_front(const std::vector<Trade>& trades) {
  std::vector<std::size_t> order(trades.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(trades[a].cost, trades[a].loss, a) < std::tuple(trades[b].cost, trades[b].loss, b);
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {
    const bool first = front.empty();
    const Trade& best = trades[first ? i : front.back()];
    const bool equal = trades[i].cost == best.cost && trades[i].loss == best.loss;
    if (first || trades[i].loss < best.loss || equal) front.push_back(i);
  }
  return front;
}

}  // namespace lowbit::report
