#include "answers/samples.h"

#include <algorithm>
#include <cmath>

namespace lowbit::answers {
namespace {

/// ln C(n, k)
double log_choose(std::size_t n, std::size_t k) {
  const auto log_factorial = [](std::size_t m) { return std::lgamma(static_cast<double>(m) + 1); };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

}  // namespace

std::vector<std::optional<std::size_t>> answer_classes(const std::vector<std::optional<std::string>>& answers,
                                                       const SameAnswer& same) {
  std::vector<std::optional<std::size_t>> classes(answers.size());
  std::vector<std::size_t> firsts;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) continue;
    const auto it = std::find_if(firsts.begin(), firsts.end(), [&](std::size_t first) {
      return *answers[i] == *answers[first] || same(*answers[i], *answers[first]);
    });
    classes[i] = it == firsts.end() ? i : *it;
    if (it == firsts.end()) firsts.push_back(i);
  }
  return classes;
}

std::optional<std::size_t> majority(const std::vector<std::optional<std::size_t>>& classes) {
  std::vector<std::size_t> votes(classes.size());
  for (const auto& of : classes) {
    if (of) ++votes[*of];
  }
  const auto most = std::max_element(votes.begin(), votes.end());
  if (most == votes.end() || *most == 0) return std::nullopt;
  return static_cast<std::size_t>(most - votes.begin());
}

double pass_at_k(std::size_t n, std::size_t c, std::size_t k) {
  if (n - c < k) return 1;
  double missed = 1;
  for (std::size_t i = n - c + 1; i <= n; ++i) missed *= 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - missed;
}

// Summed over the class that wins and its votes v: the other classes have at most v votes each, and t of them exactly
// v. The ways are counted by a table over (draws used, classes with v votes), one class after the other.
double majority_at_k(std::size_t n, std::size_t k, const std::vector<std::size_t>& sizes,
                     const std::vector<bool>& correct) {
  std::size_t n_answered = 0;
  for (const std::size_t size : sizes) n_answered += size;
  const std::size_t n_missing = n - n_answered;
  const auto share = [&](std::size_t of, std::size_t drawn) { return std::exp(log_choose(of, drawn)); };
  double total = 0;
  for (std::size_t winner = 0; winner < sizes.size(); ++winner) {
    if (!correct[winner]) continue;
    for (std::size_t v = 1; v <= std::min(k, sizes[winner]); ++v) {
      const std::size_t most_ties = k / v;
      // ways[u][t]: u draws from the classes so far, t of them tied with the winner
      std::vector<std::vector<double>> ways(k + 1, std::vector<double>(most_ties + 1));
      ways[v][0] = share(sizes[winner], v);
      for (std::size_t other = 0; other < sizes.size(); ++other) {
        if (other == winner) continue;
        std::vector<std::vector<double>> next(k + 1, std::vector<double>(most_ties + 1));
        for (std::size_t u = 0; u <= k; ++u) {
          for (std::size_t t = 0; t <= most_ties; ++t) {
            if (ways[u][t] == 0) continue;
            for (std::size_t drawn = 0; drawn <= std::min({v, sizes[other], k - u}); ++drawn) {
              const std::size_t ties = t + (drawn == v ? 1 : 0);
              next[u + drawn][ties] += ways[u][t] * share(sizes[other], drawn);
            }
          }
        }
        ways = std::move(next);
      }
      for (std::size_t u = 0; u <= k; ++u) {
        if (k - u > n_missing) continue;
        for (std::size_t t = 0; t <= most_ties; ++t)
          total += ways[u][t] * share(n_missing, k - u) / static_cast<double>(t + 1);
      }
    }
  }
  return total / share(n, k);
}

}  // namespace lowbit::answers
