#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "deduplicate.h"
#include "sampling.h"

using namespace lowbit;
using pairs::allotted;
using pairs::largest_remainders;
using Parts = std::vector<std::size_t>;

TEST_CASE("545 pairs are split among the papers' error shares by largest remainders", "[pairs]") {
  // Shares of conceptual, method, execution and reasoning errors; 323 of 545 are the papers' single-type subset.
  CHECK(largest_remainders({.5927, .16, .20, .0473}, 545) == Parts{323, 87, 109, 26});
}

TEST_CASE("largest remainders are Hamilton's: quotas rounded down or up, the sum exact", "[pairs]") {
  // Quotas 3.57, 2.86, 2.14 and 1.43: one more for .86 and for .57.
  CHECK(largest_remainders({5, 4, 3, 2}, 10) == Parts{4, 3, 2, 1});
  CHECK(largest_remainders({1, 1, 1}, 2) == Parts{1, 1, 0});  // equal remainders: the first
  CHECK(largest_remainders({1, 0}, 3) == Parts{3, 0});
  std::mt19937 random(3);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases each time
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<double> weights(1 + random() % 12);
    for (double& weight : weights) weight = static_cast<double>(1 + random() % 1000);
    const std::size_t n = random() % 700;
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const Parts parts = largest_remainders(weights, n);
    CHECK(std::accumulate(parts.begin(), parts.end(), std::size_t{0}) == n);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      CHECK(std::abs(static_cast<double>(parts[i]) - static_cast<double>(n) * weights[i] / sum) < 1);
    }
  }
}

TEST_CASE("what a cell cannot give is split anew among the others", "[pairs]") {
  CHECK(allotted({.5927, .16, .20, .0473}, {1000, 1000, 1000, 1000}, 545) == Parts{323, 87, 109, 26});
  // The first has 23 of the 323: 522 are left for .16, .20 and .0473.
  CHECK(allotted({.5927, .16, .20, .0473}, {23, 1000, 1000, 1000}, 545) == Parts{23, 205, 256, 61});
  CHECK(allotted({1, 1, 2}, {1, 100, 2}, 10) == Parts{1, 7, 2});
  CHECK(allotted({1, 1}, {2, 3}, 10) == Parts{2, 3});  // all there is
  CHECK(allotted({1, 1}, {2, 3}, 0) == Parts{0, 0});
}

TEST_CASE("error rates are shares of a model's wrong answers, over the axes of a cell", "[pairs]") {
  using verdicts::Status;
  const auto wrong = [](const char* type, const char* category) {
    return pairs::Prediction{
        .text = {},
        .correct = false,
        .status = Status::error,
        .judged = {.category = category, .type = type, .first_error_step = {}, .agreement = {}, .confidence = {}}};
  };
  pairs::Prediction right{.text = {}, .correct = true, .status = {}, .judged = {}};
  pairs::Prediction open{.text = {}, .correct = false, .status = Status::conflict, .judged = {}};
  pairs::Prediction slip{.text = {}, .correct = false, .status = Status::no_error, .judged = {}};
  const auto sum = wrong("computational_error", "execution");
  const auto rule = wrong("formula_rule_error", "method");
  const std::vector<pairs::Member> members{
      {.coordinates = {{"size", "1B"}, {"seed", 0}},
       .by_item = {{"a", sum}, {"b", sum}, {"c", right}, {"d", rule}, {"e", slip}}},
      {.coordinates = {{"size", "1B"}, {"seed", 1}}, .by_item = {{"a", open}, {"b", right}}},
      {.coordinates = {{"size", "3B"}, {"seed", 0}}, .by_item = {{"a", rule}}}};
  const auto rates = pairs::error_rates(members, {"size"});
  REQUIRE(rates.size() == 4);
  CHECK(rates.at(R"({"size":"1B"} computational_error)") == 0.5);
  CHECK(rates.at(R"({"size":"1B"} formula_rule_error)") == 0.25);
  CHECK(rates.at(R"({"size":"1B"} unnamed)") == 0.25);
  CHECK(rates.at(R"({"size":"3B"} formula_rule_error)") == 1);
  CHECK(pairs::error_rates(members, {}).at(R"({"seed":1,"size":"1B"} unnamed)") == 1);
}

namespace {

struct Made {
  std::string problem_id, problem, rejected;
  std::optional<double> agreement = {};
  std::optional<std::string> category = {};
};

/// The pairs' digests are "0", "1", ... in order.
struct Pool {
  explicit Pool(const std::vector<Made>& made) {
    items.reserve(made.size());
    for (const Made& m : made) {
      items.push_back({.item_id = "i" + std::to_string(items.size()),
                       .problem_id = m.problem_id,
                       .problem = m.problem,
                       .answer = {},
                       .solution = {},
                       .steps = {}});
      lowbit::pairs::Pair& pair = pairs.emplace_back();
      pair.item = &items.back();
      pair.chosen = "good";
      pair.rejected = m.rejected;
      pair.judged.category = m.category;
      pair.judged.agreement = m.agreement;
      pair.digest = std::to_string(pairs.size() - 1);
    }
  }
  std::vector<tasks::Item> items;
  std::vector<pairs::Pair> pairs;
};

}  // namespace

TEST_CASE("of one problem the pair of most agreement stays, then the gravest error, then the digest", "[pairs]") {
  const Pool pool({{"p", "x", "0", 0.6, "conceptual"},
                   {"p", "x", "1", 0.8, "execution"},
                   {"p", "x", "2", 0.8, "method"},
                   {"p", "x", "3", 0.8, "reasoning"},
                   {"p", "x", "4", 0.8, "reasoning"},
                   {"p", "x", "5", std::nullopt, "conceptual"},
                   {"q", "y", "6"}});
  std::map<std::string, std::size_t> dropped;
  CHECK(deduplicated(pool.pairs, true, dropped) == pairs::Kept{3, 6});
  CHECK(dropped == std::map<std::string, std::size_t>{{"same_problem", 5}});
}

TEST_CASE("nearly equal problems and equal rejected answers are kept once", "[pairs]") {
  std::string text;
  for (int i = 0; i < 21; ++i) text += "w" + std::to_string(i) + " ";
  const Pool pool(
      {{"p", text, "0", 0.6}, {"q", text + "more", "1", 0.8}, {"r", "other", "1", 0.4}, {"s", "other words", "2"}});
  std::map<std::string, std::size_t> dropped;
  CHECK(deduplicated(pool.pairs, true, dropped) == pairs::Kept{1, 3});
  CHECK(dropped == std::map<std::string, std::size_t>{{"near_duplicate", 1}, {"same_rejected", 1}});
  dropped.clear();
  CHECK(deduplicated(pool.pairs, false, dropped) == pairs::Kept{0, 1, 3});
}
