#include "report/agreement_coefficients.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <limits>
#include <numeric>

namespace lowbit::report {
namespace {

/// Adds up by index, as long as it has to be.
void add(ClassCounts& counts, std::size_t index, std::size_t n) {
  if (index >= counts.size()) counts.resize(index + 1);
  counts[index] += n;
}

std::size_t sum(const ClassCounts& counts) { return std::accumulate(counts.begin(), counts.end(), std::size_t{0}); }

/// Sum of squares: ordered pairs of equal members, each with itself included.
std::size_t squares(const ClassCounts& counts) {
  return std::inner_product(counts.begin(), counts.end(), counts.begin(), std::size_t{0});
}

ClassCounts totals(const Sample<ClassCounts>& cases) {
  ClassCounts total;
  for (const ClassCounts* one : cases) {
    for (std::size_t i = 0; i < one->size(); ++i) add(total, i, (*one)[i]);
  }
  return total;
}

/// (x - y)^2 summed over all ordered pairs: 2 (n Σ (x - c)^2 - (Σ (x - c))^2) for any origin c. One of the values as
/// the origin makes it exactly 0 where all are equal.
struct Spread {
  double origin = 0;
  double n = 0;
  double sum = 0;
  double squares = 0;

  void add(double value) {
    ++n;
    sum += value - origin;
    squares += (value - origin) * (value - origin);
  }
  [[nodiscard]] double differences() const { return 2 * (n * squares - sum * sum); }
};

double real(std::size_t n) { return static_cast<double>(n); }

}  // namespace

std::optional<double> cohen_kappa(const Sample<LabelPair>& cases) {
  ClassCounts first;
  ClassCounts second;
  std::size_t agreed = 0;
  for (const LabelPair* one : cases) {
    add(first, one->first, 1);
    add(second, one->second, 1);
    agreed += one->first == one->second ? 1U : 0U;
  }
  const std::size_t n = cases.size();
  const std::size_t n_common = std::min(first.size(), second.size());
  const std::size_t by_chance =  // of n * n pairs
      std::inner_product(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(n_common), second.begin(),
                         std::size_t{0});
  if (by_chance == n * n) return std::nullopt;
  return (real(n * agreed) - real(by_chance)) / real(n * n - by_chance);
}

std::optional<double> fleiss_kappa(const Sample<ClassCounts>& cases) {
  if (cases.empty()) return std::nullopt;
  const std::size_t n_raters = sum(*cases.front());
  const std::size_t n = cases.size() * n_raters;
  const std::size_t by_chance = squares(totals(cases));  // of n * n pairs
  if (n_raters < 2 || by_chance == n * n) return std::nullopt;
  std::size_t agreeing = 0;
  for (const ClassCounts* one : cases) agreeing += squares(*one) - n_raters;
  const double observed = real(agreeing) / real(n * (n_raters - 1));
  const double expected = real(by_chance) / (real(n) * real(n));
  return (observed - expected) / (1 - expected);
}

std::optional<double> nominal_alpha(const Sample<ClassCounts>& cases) {
  const ClassCounts total = totals(cases);
  const std::size_t n = sum(total);
  const std::size_t differing = n * n - squares(total);
  if (differing == 0) return std::nullopt;
  double observed = 0;
  for (const ClassCounts* one : cases) {
    const std::size_t n_ratings = sum(*one);
    observed += real(n_ratings * n_ratings - squares(*one)) / real(n_ratings - 1);
  }
  return 1 - observed * real(n - 1) / real(differing);
}

std::optional<double> interval_alpha(const Sample<Values>& cases) {
  if (cases.empty()) return std::nullopt;
  Spread all{.origin = cases.front()->front()};
  double observed = 0;
  for (const Values* one : cases) {
    Spread of_case{.origin = all.origin};
    for (const double value : *one) {
      of_case.add(value);
      all.add(value);
    }
    observed += of_case.differences() / (of_case.n - 1);
  }
  if (all.differences() <= 0) return std::nullopt;
  return 1 - observed * (all.n - 1) / all.differences();
}

std::uint64_t CaseDraws::next() {  // splitmix64
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t x = state_;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

std::size_t CaseDraws::below(std::size_t n) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t whole_turns = kMost - kMost % n;  // above it the first numbers would come once more
  std::uint64_t drawn = next();
  while (drawn >= whole_turns) drawn = next();
  return drawn % n;
}

std::optional<Interval> middle_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  if (values.empty() || values.front() == values.back()) return std::nullopt;
  const std::size_t left_out = (values.size() - 1) / 40;
  return Interval{values[left_out], values[values.size() - 1 - left_out]};
}

double error_share_bound(std::size_t errors, std::size_t n) {
  constexpr double kTail = 0.05;
  using Binomial = boost::math::binomial_distribution<double>;
  return Binomial::find_upper_bound_on_p(real(n), real(errors), kTail);
}

}  // namespace lowbit::report
