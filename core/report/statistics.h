// The statistics of accuracy tables, each a formula of docs/tables.md. Pure numbers in, pure numbers out.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace lowbit::report {

struct Interval {
  double low = 0;
  double high = 0;
};

/// Sample standard deviation, divisor n - 1; empty for fewer than two values.
[[nodiscard]] std::optional<double> sample_deviation(const std::vector<double>& values);

/// All scores on one problem: several seeds, or several samples.
struct Cluster {
  double sum = 0;
  double count = 0;
};

/// The mean of all scores with its standard error for problems drawn at random, seeds fixed.
struct ClusteredMean {
  double mean = 0;
  double std_error = 0;
  double n_clusters = 0;
  double n_scores = 0;
};

/// m = sum s / N; SE = sqrt(sum over clusters of (sum - m count)^2) / N. REQUIRES: a score.
[[nodiscard]] ClusteredMean clustered_mean(const std::vector<Cluster>& clusters);

/// 95 % Wilson score interval of a share `p` of `n` independent trials. REQUIRES: n > 0.
[[nodiscard]] Interval wilson(double p, double n);

/// Wilson with the number of independent trials that would have this standard error, p (1 - p) / SE^2; at most the
/// number of scores, and the number of clusters where p is 0 or 1. REQUIRES: scores are 0 or 1.
[[nodiscard]] Interval share_interval(const ClusteredMean& share);

/// mean ± 1.96 SE
[[nodiscard]] Interval normal_interval(const ClusteredMean& mean);

/// 95 % percentile interval of the mean of all scores when problems are drawn again with replacement, 10,000 times, by
/// a fixed seed. REQUIRES: a score.
[[nodiscard]] Interval bootstrap_interval(const std::vector<Cluster>& clusters);

/// Exact two-sided p of McNemar's test: `only_a` items that only one model has right, `only_b` that only the other has,
/// each as likely either way; the smaller tail of the binomial distribution twice, at most 1. 1 where no item differs.
/// Source: Q. McNemar, Note on the sampling error of the difference between correlated proportions, 1947.
[[nodiscard]] double mcnemar_exact(std::size_t only_a, std::size_t only_b);

/// Two-sided p-value of the exact paired permutation test: the share of all ways to swap the sides of single problems
/// that bring so large a sum of differences or a larger one. `sums`: whole numbers, one a problem. With -1, 0 and 1
/// alone it is McNemar's exact test. From 2e8 steps on the normal approximation.
[[nodiscard]] double paired_permutation(const std::vector<double>& sums);

/// Adjusted by Holm (1979) for their number: of tests without any effect, one in twenty families has a value under
/// 0.05. In the order of `p_values`.
[[nodiscard]] std::vector<double> holm(const std::vector<double>& p_values);

/// The true difference that a two-sided test at 5 % finds with a probability of 80 %: (1.960 + 0.842) SE.
[[nodiscard]] double minimum_detectable_effect(double std_error);

}  // namespace lowbit::report
