#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "report/pareto_front.h"

using namespace lowbit::report;

namespace {

/// The definition: nothing is at most equal in both and below in one.
std::vector<std::size_t> by_definition(const std::vector<Trade>& trades) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < trades.size(); ++i) {
    const Trade& own = trades[i];
    const bool beaten = std::any_of(trades.begin(), trades.end(), [&](const Trade& other) {
      return other.cost <= own.cost && other.loss <= own.loss && (other.cost < own.cost || other.loss < own.loss);
    });
    if (!beaten) front.push_back(i);
  }
  return front;
}

}  // namespace

TEST_CASE("the Pareto front is what its definition says, also with equal trades", "[report][pareto]") {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::uniform_int_distribution<int> small(0, 2 + round % 20);  // few values: many ties
    std::vector<Trade> trades(static_cast<std::size_t>(round % 30));
    for (Trade& trade : trades) trade = {static_cast<double>(small(random)), static_cast<double>(small(random))};
    std::vector<std::size_t> front = pareto_front(trades);
    for (std::size_t i = 1; i < front.size(); ++i) REQUIRE(trades[front[i - 1]].cost <= trades[front[i]].cost);
    std::sort(front.begin(), front.end());
    REQUIRE(front == by_definition(trades));
  }
  CHECK(pareto_front({}).empty());
}
