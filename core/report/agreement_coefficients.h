// Agreement beyond chance, with intervals from resampled cases, and the bound of an audit. Pure numbers in, pure
// numbers out.
//
//   const std::vector<LabelPair> cases{{0, 0}, {0, 1}, {1, 1}};
//   const Estimate kappa = estimated(cases, cohen_kappa);
//   if (kappa.value) { ... *kappa.value, kappa.interval ... }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "report/statistics.h"

namespace lowbit::report {

/// Cases that a coefficient is computed on; in a resample some stand there several times and others not at all.
template <class Case>
using Sample = std::vector<const Case*>;

/// The classes that two raters gave one case, numbered from 0.
struct LabelPair {
  std::size_t first = 0;
  std::size_t second = 0;
};
/// How many raters gave one case each class; all cases have the same number of classes.
using ClassCounts = std::vector<std::size_t>;
/// What each rater who measured one case measured.
using Values = std::vector<double>;

/// (po - pe) / (1 - pe), po the share of cases with two equal classes, pe the sum over classes of the product of the
/// raters' shares. Empty without cases and where both raters give all cases one class.
/// Source: J. Cohen, A coefficient of agreement for nominal scales, 1960.
[[nodiscard]] std::optional<double> cohen_kappa(const Sample<LabelPair>& cases);

/// (P - Pe) / (1 - Pe), P the mean over cases of the share of agreeing pairs of raters, Pe the sum of the squared
/// shares of classes. Empty without cases, for fewer than two raters and where there is one class only. REQUIRES: the
/// same number of raters in all cases. Source: J. L. Fleiss, Measuring nominal scale agreement among many raters, 1971.
[[nodiscard]] std::optional<double> fleiss_kappa(const Sample<ClassCounts>& cases);

/// 1 - Do / De, Do the mean squared difference (of classes: 0 if equal, else 1) of two ratings of one case, each case
/// weighted by its number of ratings, De that of any two ratings. Empty where no two ratings differ and where there are
/// none. REQUIRES: two ratings or more in every case.
/// Source: K. Krippendorff, Computing Krippendorff's alpha-reliability, 2011.
[[nodiscard]] std::optional<double> nominal_alpha(const Sample<ClassCounts>& cases);
[[nodiscard]] std::optional<double> interval_alpha(const Sample<Values>& cases);

inline constexpr std::size_t kBootstrapDraws = 1000;
inline constexpr std::uint64_t kBootstrapSeed = 0;

/// A coefficient and its interval over cases.
struct Estimate {
  std::size_t n_cases = 0;
  std::optional<double> value;  ///< empty without cases, and where chance alone leaves nothing to disagree on
  /// 2.5 and 97.5 % points of the draws that have a value. Empty where these are all alike (no case disagrees, or there
  /// is one case): resampling then says nothing about other cases.
  std::optional<Interval> interval;
  std::size_t n_draws = 0;  ///< those that have a value, of kBootstrapDraws
};

/// Whole numbers below `n`, each as likely: the same on every machine.
class CaseDraws {
 public:
  explicit CaseDraws(std::uint64_t seed) : state_(seed) {}
  /// REQUIRES: n > 0.
  [[nodiscard]] std::size_t below(std::size_t n);

 private:
  std::uint64_t next();

  std::uint64_t state_;
};

/// The points of the middle 95 % of values, order statistics ⌊0.025 (n - 1)⌋ from both ends; empty when all are equal.
[[nodiscard]] std::optional<Interval> middle_of(std::vector<double> values);

template <class Case>
[[nodiscard]] Estimate estimated(const std::vector<Case>& cases,
                                 std::optional<double> (*coefficient)(const Sample<Case>&),
                                 std::size_t n_draws = kBootstrapDraws) {
  Sample<Case> sample;
  for (const Case& one : cases) sample.push_back(&one);
  Estimate estimate{.n_cases = cases.size(), .value = coefficient(sample), .interval = {}};
  if (!estimate.value) return estimate;
  CaseDraws draws(kBootstrapSeed);
  std::vector<double> values;
  for (std::size_t i = 0; i < n_draws; ++i) {
    for (const Case*& one : sample) one = &cases[draws.below(cases.size())];
    if (const auto value = coefficient(sample)) values.push_back(*value);
  }
  estimate.n_draws = values.size();
  estimate.interval = middle_of(std::move(values));
  return estimate;
}

/// One-sided 95 % upper bound (Clopper-Pearson) of the share of errors, `errors` of `n` having been found in cases
/// drawn at random: the share with which so few errors have a probability of 5 %. REQUIRES: n > 0, errors <= n.
[[nodiscard]] double error_share_bound(std::size_t errors, std::size_t n);

}  // namespace lowbit::report
