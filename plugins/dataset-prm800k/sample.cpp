#include "sample.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "tasks/choice.h"

namespace lowbit::prm800k {

Sample sampled(const std::vector<Candidate>& candidates, std::int64_t n, std::int64_t per_problem, std::int64_t seed) {
  struct Drawn {
    std::string draw;
    std::size_t index;
  };
  std::unordered_map<std::string, std::vector<Drawn>> by_problem;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    by_problem[candidates[i].problem_id].push_back({tasks::draw_of(seed, candidates[i].item_id), i});
  }
  Sample sample;
  std::vector<std::tuple<std::size_t, std::string, std::size_t>> order;  // rank in its problem, problem's draw, index
  for (auto& [problem, drawn] : by_problem) {
    std::sort(drawn.begin(), drawn.end(), [](const Drawn& a, const Drawn& b) { return a.draw < b.draw; });
    const std::string draw = tasks::draw_of(seed, problem);
    for (std::size_t rank = 0; rank < drawn.size(); ++rank) {
      if (per_problem > 0 && rank >= static_cast<std::size_t>(per_problem)) {
        ++sample.n_over_cap;
      } else {
        order.emplace_back(rank, draw, drawn[rank].index);
      }
    }
  }
  std::sort(order.begin(), order.end());
  if (n > 0 && order.size() > static_cast<std::size_t>(n)) order.resize(static_cast<std::size_t>(n));
  for (const auto& [rank, draw, index] : order) sample.taken.push_back(index);
  std::sort(sample.taken.begin(), sample.taken.end());
  return sample;
}

}  // namespace lowbit::prm800k
