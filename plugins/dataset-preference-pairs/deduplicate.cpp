#include "deduplicate.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <string_view>
#include <tuple>

#include "overlap/near_duplicates.h"

namespace lowbit::pairs {
namespace {

constexpr double kNear = 0.8;

/// From 0, the gravest, on: what part of a solution an error of the category takes with it.
std::size_t rank_of(const std::optional<std::string>& category) {
  constexpr std::array<std::string_view, 4> kGravestFirst{"conceptual", "reasoning", "method", "execution"};
  const auto* const found = std::find(kGravestFirst.begin(), kGravestFirst.end(), category.value_or(""));
  return static_cast<std::size_t>(found - kGravestFirst.begin());
}

}  // namespace

bool is_preferred(const Pair& a, const Pair& b) {
  const auto key = [](const Pair& pair) {
    return std::tuple(-pair.judged.agreement.value_or(-1), rank_of(pair.judged.category),
                      std::string_view(pair.digest));
  };
  return key(a) < key(b);
}

Kept deduplicated(const std::vector<Pair>& pairs, bool near, std::map<std::string, std::size_t>& dropped) {
  Kept order(pairs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return is_preferred(pairs[a], pairs[b]); });
  std::set<std::string> problems;
  std::set<std::string> rejected;
  overlap::NearDuplicates texts(kNear);
  Kept kept;
  for (const std::size_t i : order) {
    const Pair& pair = pairs[i];
    if (problems.contains(pair.item->problem_id)) {
      ++dropped["same_problem"];
    } else if (rejected.contains(pair.rejected)) {
      ++dropped["same_rejected"];
    } else if (near && texts.offer(pair.item->problem)) {
      ++dropped["near_duplicate"];
    } else {
      problems.insert(pair.item->problem_id);
      rejected.insert(pair.rejected);
      kept.push_back(i);
    }
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace lowbit::pairs
