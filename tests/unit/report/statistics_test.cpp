#include "report/statistics.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

using namespace lowbit::report;
using Catch::WithinAbs;

namespace {

/// `right` problems scored 1 and the rest 0, once each.
std::vector<Cluster> one_seed(int right, int n) {
  std::vector<Cluster> clusters;
  for (int i = 0; i < n; ++i) clusters.push_back({i < right ? 1.0 : 0.0, 1});
  return clusters;
}

}  // namespace

TEST_CASE("Wilson intervals are the published ones", "[report][statistics]") {
  // Four printed digits: half a unit of the last one.
  const auto check = [](int right, double low, double high) {
    const Interval interval = wilson(right / 500.0, 500);
    CHECK_THAT(interval.low, WithinAbs(low, 5e-5));
    CHECK_THAT(interval.high, WithinAbs(high, 5e-5));
  };
  check(71, .1141, .1753);
  check(155, .2710, .3519);
  check(187, .3327, .4172);
  check(250, .4563, .5437);
}

TEST_CASE("with one seed the interval over items is exactly that of Wilson", "[report][statistics]") {
  for (const int right : {0, 1, 71, 250, 499, 500}) {
    const Interval interval = share_interval(clustered_mean(one_seed(right, 500)));
    const Interval expected = wilson(right / 500.0, 500);
    CHECK_THAT(interval.low, WithinAbs(expected.low, 1e-12));
    CHECK_THAT(interval.high, WithinAbs(expected.high, 1e-12));
  }
}

TEST_CASE("seeds that always agree are worth one, seeds that never agree at most their number",
          "[report][statistics]") {
  std::vector<Cluster> agreeing;
  for (const Cluster& c : one_seed(71, 500)) agreeing.push_back({3 * c.sum, 3});
  CHECK_THAT(share_interval(clustered_mean(agreeing)).low, WithinAbs(wilson(.142, 500).low, 1e-12));
  const std::vector<Cluster> half(500, Cluster{1, 2});  // every problem right under one of two seeds
  CHECK_THAT(share_interval(clustered_mean(half)).low, WithinAbs(wilson(.5, 1000).low, 1e-12));
}

TEST_CASE("a share of 0 or 1 has the interval of its problems, not of its answers", "[report][statistics]") {
  const std::vector<Cluster> right(100, Cluster{3, 3});
  CHECK_THAT(share_interval(clustered_mean(right)).low, WithinAbs(wilson(1, 100).low, 1e-12));
  CHECK_THAT(share_interval(clustered_mean(right)).high, WithinAbs(1, 1e-12));
}

TEST_CASE("a paired difference has the standard error of its discordant pairs", "[report][statistics]") {
  std::vector<Cluster> clusters;  // b = 60 gained, c = 26 lost, of 500
  for (int i = 0; i < 500; ++i) clusters.push_back({i < 60 ? 1.0 : i < 86 ? -1.0 : 0.0, 1});
  const ClusteredMean mean = clustered_mean(clusters);
  CHECK_THAT(mean.mean, WithinAbs(.068, 1e-12));
  CHECK_THAT(mean.std_error, WithinAbs(.018296, 5e-7));
  CHECK_THAT(mean.mean / mean.std_error, WithinAbs(3.717, 5e-4));
  const Interval interval = normal_interval(mean);
  CHECK_THAT(interval.high - interval.low, WithinAbs(2 * 1.959964 * mean.std_error, 1e-7));
}

TEST_CASE("McNemar's exact p is the published one, and that of the binomial coefficients", "[report][statistics]") {
  const auto check = [](std::size_t b, std::size_t c, double p) {
    CHECK_THAT(mcnemar_exact(b, c), WithinAbs(p, 5e-7));
    CHECK_THAT(mcnemar_exact(c, b), WithinAbs(p, 5e-7));
  };
  check(30, 15, .035698);
  check(40, 20, .013489);
  check(60, 26, .000317);
  check(10, 2, .038574);
  check(25, 25, 1);
  CHECK(mcnemar_exact(0, 0) == 1);
  // The slow twin: 2 sum_{i <= b} C(n, i) / 2^n, at most 1.
  for (std::size_t b = 0; b <= 12; ++b) {
    for (std::size_t c = b; c <= 12; ++c) {
      const auto n = static_cast<double>(b + c);
      double tail = 0;
      double coefficient = 1;
      for (std::size_t i = 0; i <= b; ++i) {
        tail += coefficient;
        coefficient = coefficient * (n - static_cast<double>(i)) / static_cast<double>(i + 1);
      }
      CHECK_THAT(mcnemar_exact(b, c), WithinAbs(std::min(1.0, 2 * tail / std::pow(2.0, n)), 1e-12));
    }
  }
}

TEST_CASE("the minimum detectable effect is the one that sample sizes are planned for", "[report][statistics]") {
  // Published: a difference of .05 takes 312, 626 and 939 pairs at discordances .1, .2 and .3. Those plans put psi
  // under the one quantile and psi - d^2 under the other, so that they agree with one SE for both to d^2 / 2 psi = 1.3
  // %.
  const auto check = [](double discordance, double n) {
    CHECK_THAT(minimum_detectable_effect(std::sqrt(discordance / n)), WithinAbs(.05, .05 * .013));
  };
  check(.1, 312);
  check(.2, 626);
  check(.3, 939);
}

TEST_CASE("the deviation over seeds divides by one less than their number", "[report][statistics]") {
  CHECK_FALSE(sample_deviation({.5}).has_value());
  CHECK_THAT(*sample_deviation({.1, .2, .3}), WithinAbs(.1, 1e-12));
}

TEST_CASE("McNemar's exact test has the values of the binomial law", "[report]") {
  // Two-sided binomial test of one half, computed apart (scipy.stats.binomtest).
  CHECK(mcnemar_exact(30, 15) == Approx(.035698).epsilon(1e-4));
  CHECK(mcnemar_exact(40, 20) == Approx(.013489).epsilon(1e-4));
  CHECK(mcnemar_exact(26, 60) == Approx(.000317).epsilon(2e-3));
  CHECK(mcnemar_exact(10, 2) == Approx(.038574).epsilon(1e-4));
  CHECK(mcnemar_exact(25, 25) == 1);
  CHECK(mcnemar_exact(0, 0) == 1);
}

TEST_CASE("the paired permutation test is McNemar's where a problem has one answer", "[report]") {
  const auto [a, b] =
      GENERATE(std::pair(30, 15), std::pair(2, 10), std::pair(60, 26), std::pair(7, 7), std::pair(0, 3));
  std::vector<double> sums(100, 0);
  sums.insert(sums.end(), static_cast<std::size_t>(a), 1);
  sums.insert(sums.end(), static_cast<std::size_t>(b), -1);
  CHECK(paired_permutation(sums) ==
        Approx(mcnemar_exact(static_cast<std::size_t>(a), static_cast<std::size_t>(b))).epsilon(1e-12));
}

TEST_CASE("the paired permutation test counts what all ways to swap sides bring", "[report]") {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> draw(-3, 3);
  for (int round = 0; round < 40; ++round) {
    std::vector<double> sums(12);
    for (double& sum : sums) sum = draw(random) + (round % 4 == 0 ? 1 : 0);
    const double total = std::abs(std::accumulate(sums.begin(), sums.end(), 0.0));
    int as_large = 0;
    for (int mask = 0; mask < 1 << 12; ++mask) {
      double swapped = 0;
      for (std::size_t i = 0; i < sums.size(); ++i) swapped += (mask >> i & 1) != 0 ? -sums[i] : sums[i];
      as_large += std::abs(swapped) >= total ? 1 : 0;
    }
    CHECK(paired_permutation(sums) == Approx(as_large / 4096.0).epsilon(1e-12));
  }
}

TEST_CASE("beyond the limit of the exact test the normal law stands for it", "[report]") {
  std::vector<double> sums;
  for (int i = 0; i < 20'000; ++i) sums.push_back(i % 100 < 51 ? 1 : -1);  // z = 400 / sqrt(20000) = 2.828
  const double exact = mcnemar_exact(10'200, 9'800);
  CHECK(paired_permutation(sums) == Approx(exact).epsilon(0.002));
}

TEST_CASE("Holm's adjustment steps down, and no value falls below an earlier one", "[report]") {
  // Holm (1979): 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 -> the last is held at 0.06.
  const std::vector<double> adjusted = holm({0.01, 0.04, 0.03, 0.005});
  const std::vector<double> expected{0.03, 0.06, 0.06, 0.02};
  REQUIRE(adjusted.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(adjusted[i] == Approx(expected[i]));
  CHECK(holm({0.7, 0.9}) == std::vector<double>{1, 1});
  CHECK(holm({}).empty());
}

TEST_CASE("the bootstrap interval is that of the standard error where the normal law holds", "[report]") {
  // 2,000 problems, differences of -1, 0 and 1. 10,000 resamples find a quantile at 2.5 % to about 2 % of the width.
  std::vector<Cluster> clusters;
  for (int i = 0; i < 2000; ++i) clusters.push_back({i % 10 == 0 ? -1.0 : i % 10 < 4 ? 1.0 : 0.0, 1});
  const Interval analytic = normal_interval(clustered_mean(clusters));
  const Interval drawn = bootstrap_interval(clusters);
  const double width = analytic.high - analytic.low;
  CHECK(std::abs(drawn.low - analytic.low) < 0.05 * width);
  CHECK(std::abs(drawn.high - analytic.high) < 0.05 * width);
  CHECK(drawn.low == bootstrap_interval(clusters).low);
  const Interval certain = bootstrap_interval({{2, 3}, {2, 3}});
  CHECK(certain.low == Approx(2.0 / 3));
  CHECK(certain.high == Approx(2.0 / 3));
}
