#include "report/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/random/binomial_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace lowbit::report {
namespace {

constexpr double kZ975 = 1.959963984540054;  // quantiles of the normal distribution
constexpr double kZ80 = 0.8416212335729143;
constexpr std::size_t kResamples = 10'000;
constexpr double kPermutationSteps = 2e8;

/// Probability of each sum of those of `sizes` whose coin falls on heads. REQUIRES: positive whole numbers.
std::vector<double> subset_sums(const std::vector<std::size_t>& sizes) {
  const auto ones = static_cast<std::size_t>(std::count(sizes.begin(), sizes.end(), 1U));
  std::vector<double> chances(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}) + 1);
  const boost::math::binomial_distribution<double> coins(static_cast<double>(ones), 0.5);
  for (std::size_t heads = 0; heads <= ones; ++heads) chances[heads] = pdf(coins, static_cast<double>(heads));
  std::size_t largest = ones;
  for (const std::size_t size : sizes) {
    if (size == 1) continue;
    largest += size;
    for (std::size_t sum = largest + 1; sum-- > 0;) {
      chances[sum] = (chances[sum] + (sum >= size ? chances[sum - size] : 0)) / 2;
    }
  }
  return chances;
}

/// Of sorted values, between two of them linearly.
double quantile(const std::vector<double>& values, double at) {
  const double place = at * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double part = place - static_cast<double>(below);
  return part == 0 ? values[below] : values[below] * (1 - part) + values[below + 1] * part;
}

}  // namespace

std::optional<double> sample_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (n - 1));
}

ClusteredMean clustered_mean(const std::vector<Cluster>& clusters) {
  ClusteredMean out;
  out.n_clusters = static_cast<double>(clusters.size());
  for (const Cluster& cluster : clusters) {
    out.mean += cluster.sum;
    out.n_scores += cluster.count;
  }
  out.mean /= out.n_scores;
  double squares = 0;
  for (const Cluster& cluster : clusters) squares += std::pow(cluster.sum - out.mean * cluster.count, 2);
  out.std_error = std::sqrt(squares) / out.n_scores;
  return out;
}

Interval wilson(double p, double n) {
  const double z2 = kZ975 * kZ975;
  const double center = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ975 / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(center - half, 0.0), std::min(center + half, 1.0)};
}

Interval share_interval(const ClusteredMean& share) {
  const double p = share.mean;
  const double variance = share.std_error * share.std_error;
  if (p <= 0 || p >= 1) return wilson(p, share.n_clusters);
  const double limit = share.n_scores;
  return wilson(p, p * (1 - p) >= limit * variance ? limit : p * (1 - p) / variance);
}

Interval normal_interval(const ClusteredMean& mean) {
  return {mean.mean - kZ975 * mean.std_error, mean.mean + kZ975 * mean.std_error};
}

// A resample is drawn by kind of problem: how often each (sum, count) comes is a binomial number of what is left.
Interval bootstrap_interval(const std::vector<Cluster>& clusters) {
  std::map<std::pair<double, double>, std::int64_t> kinds;
  for (const Cluster& cluster : clusters) ++kinds[{cluster.sum, cluster.count}];
  boost::random::mt19937_64 random(0);
  std::vector<double> means;
  means.reserve(kResamples);
  for (std::size_t i = 0; i < kResamples; ++i) {
    auto draws = static_cast<std::int64_t>(clusters.size());
    auto others = draws;
    double sum = 0;
    double count = 0;
    for (const auto& [kind, n] : kinds) {
      const std::int64_t drawn = n == others ? draws
                                             : boost::random::binomial_distribution<std::int64_t>(
                                                   draws, static_cast<double>(n) / static_cast<double>(others))(random);
      sum += kind.first * static_cast<double>(drawn);
      count += kind.second * static_cast<double>(drawn);
      draws -= drawn;
      others -= n;
    }
    means.push_back(sum / count);
  }
  std::sort(means.begin(), means.end());
  return {quantile(means, 0.025), quantile(means, 0.975)};
}

double mcnemar_exact(std::size_t only_a, std::size_t only_b) {
  const std::size_t n = only_a + only_b;
  if (n == 0) return 1;
  const boost::math::binomial_distribution<double> coins(static_cast<double>(n), 0.5);
  return std::min(1.0, 2 * cdf(coins, static_cast<double>(std::min(only_a, only_b))));
}

double paired_permutation(const std::vector<double>& sums) {
  std::vector<std::size_t> sizes;
  double total = 0;
  double squares = 0;
  for (const double sum : sums) {
    if (sum == 0) continue;
    sizes.push_back(static_cast<std::size_t>(std::abs(sum)));
    total += sum;
    squares += sum * sum;
  }
  if (total == 0) return 1;
  const double range = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}));
  if (static_cast<double>(sizes.size()) * range > kPermutationSteps) {
    return std::erfc((std::abs(total) - 1) / std::sqrt(2 * squares));  // sums are two apart: half a step less
  }
  // Heads swaps the sides of a problem: sums of swapped sizes S and range - 2 S are the same up to the sign.
  const std::vector<double> chances = subset_sums(sizes);
  const auto tail = static_cast<std::size_t>((range - std::abs(total)) / 2);
  const double one_side =
      std::accumulate(chances.begin(), chances.begin() + static_cast<std::ptrdiff_t>(tail) + 1, 0.0);
  return std::min(1.0, 2 * one_side);
}

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return p_values[x] < p_values[y]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, static_cast<double>(order.size() - rank) * p_values[order[rank]]);
    adjusted[order[rank]] = std::min(1.0, largest);
  }
  return adjusted;
}

double minimum_detectable_effect(double std_error) { return (kZ975 + kZ80) * std_error; }

}  // namespace lowbit::report
