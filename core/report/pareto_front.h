// Which of several results are worth having: those that no other one beats. Pure.
#pragma once

#include <cstddef>
#include <vector>

namespace lowbit::report {

struct Trade {
  double cost = 0;  ///< less is better
  double loss = 0;  ///< less is better
};

/// Positions of the trades to which no other is at most equal in both and below in one, by cost; of equal trades all.
[[nodiscard]] std::vector<std::size_t> pareto_front(const std::vector<Trade>& trades);

}  // namespace lowbit::report
