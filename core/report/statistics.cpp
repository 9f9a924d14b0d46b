#include "report/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>

namespace lowbit::report {
namespace {

constexpr double kZ975 = 1.959963984540054;  // quantiles of the normal distribution
constexpr double kZ80 = 0.8416212335729143;

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

double mcnemar_exact(std::size_t only_a, std::size_t only_b) {
  const auto n = static_cast<double>(only_a + only_b);
  if (n == 0) return 1;
  const boost::math::binomial_distribution<double> fair(n, 0.5);
  return std::min(1.0, 2 * boost::math::cdf(fair, static_cast<double>(std::min(only_a, only_b))));
}

double minimum_detectable_effect(double std_error) { return (kZ975 + kZ80) * std_error; }

}  // namespace lowbit::report
