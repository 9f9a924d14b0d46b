#include "report/agreement_coefficients.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <string>
#include <vector>

using namespace lowbit::report;
using Catch::WithinAbs;

namespace {

template <class Case>
std::optional<double> of_all(std::optional<double> (*coefficient)(const Sample<Case>&),
                             const std::vector<Case>& cases) {
  Sample<Case> all;
  for (const Case& one : cases) all.push_back(&one);
  return coefficient(all);
}

/// Cases from a two-rater table, each cell `times` as often.
std::vector<LabelPair> table(const std::vector<std::vector<std::size_t>>& counts, std::size_t times = 1) {
  std::vector<LabelPair> cases;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::size_t j = 0; j < counts[i].size(); ++j) cases.insert(cases.end(), times * counts[i][j], LabelPair{i, j});
  }
  return cases;
}

/// Class counts of cases whose ratings are whole numbers.
std::vector<ClassCounts> counted(const std::vector<Values>& cases) {
  std::vector<ClassCounts> counts;
  for (const Values& one : cases) {
    ClassCounts& of_case = counts.emplace_back(ClassCounts(8));
    for (const double value : one) ++of_case[static_cast<std::size_t>(value)];
  }
  return counts;
}

/// The cases with two or more of the ratings that three raters gave, `*` where they gave none.
std::vector<Values> matched(const std::vector<std::string>& raters) {
  std::vector<Values> cases;
  for (std::size_t i = 0; i < raters.front().size(); ++i) {
    Values values;
    for (const std::string& rater : raters) {
      if (rater[i] != '*') values.push_back(rater[i] - '0');
    }
    if (values.size() > 1) cases.push_back(values);
  }
  return cases;
}

double nominal(double a, double b) { return a == b ? 0 : 1; }
double interval(double a, double b) { return (a - b) * (a - b); }

/// As defined: every ordered pair of ratings by itself.
double slow_alpha(const std::vector<Values>& cases, double (*difference)(double, double)) {
  Values all;
  double observed = 0;
  for (const Values& one : cases) {
    for (std::size_t i = 0; i < one.size(); ++i) {
      for (std::size_t j = 0; j < one.size(); ++j) {
        if (i != j) observed += difference(one[i], one[j]) / (static_cast<double>(one.size()) - 1);
      }
    }
    all.insert(all.end(), one.begin(), one.end());
  }
  const auto n = static_cast<double>(all.size());
  double expected = 0;
  for (const double a : all) {
    for (const double b : all) expected += difference(a, b);
  }
  return 1 - (observed / n) / (expected / (n * (n - 1)));
}

/// P(X <= k) of n trials, summed term by term.
double binomial_tail(std::size_t k, std::size_t n, double p) {
  double term = std::pow(1 - p, static_cast<double>(n));
  double sum = term;
  for (std::size_t i = 0; i < k; ++i) {
    term *= static_cast<double>(n - i) / static_cast<double>(i + 1) * p / (1 - p);
    sum += term;
  }
  return sum;
}

}  // namespace

TEST_CASE("Cohen's kappa of published tables", "[report][agreement]") {
  CHECK_THAT(of_all(cohen_kappa, table({{20, 5}, {10, 15}})).value(), WithinAbs(.4, 1e-12));
  CHECK_THAT(of_all(cohen_kappa, table({{45, 15}, {25, 15}})).value(), WithinAbs(.130435, 5e-7));
  CHECK_THAT(of_all(cohen_kappa, table({{25, 35}, {5, 35}})).value(), WithinAbs(.259259, 5e-7));
}

TEST_CASE("Cohen's kappa is 1 where nothing differs, 0 between two raters who never vary, none for one class",
          "[report][agreement]") {
  CHECK(of_all(cohen_kappa, table({{3, 0}, {0, 4}})) == 1.0);
  CHECK(of_all(cohen_kappa, table({{0, 7}, {0, 0}})) == 0.0);
  CHECK(of_all(cohen_kappa, table({{0, 7}})) == 0.0);
  CHECK_FALSE(of_all(cohen_kappa, table({{7}})));
  CHECK_FALSE(of_all(cohen_kappa, table({{0, 0}, {0, 7}})));
  CHECK_FALSE(of_all(cohen_kappa, {}));
  CHECK(of_all(cohen_kappa, table({{98, 1}, {1, 0}})).value() < 0);  // 98 % alike, less than by chance
}

TEST_CASE("Fleiss' kappa of the textbook table of 14 raters", "[report][agreement]") {
  const std::vector<ClassCounts> cases{{0, 0, 0, 0, 14}, {0, 2, 6, 4, 2}, {0, 0, 3, 5, 6}, {0, 3, 9, 2, 0},
                                       {2, 2, 8, 1, 1},  {7, 7, 0, 0, 0}, {3, 2, 6, 3, 0}, {2, 5, 3, 2, 2},
                                       {6, 5, 2, 1, 0},  {0, 2, 2, 3, 7}};
  CHECK_THAT(of_all(fleiss_kappa, cases).value(), WithinAbs(.209931, 5e-7));
}

TEST_CASE("Fleiss' kappa has no value for one class, one rater or no case", "[report][agreement]") {
  CHECK_FALSE(of_all(fleiss_kappa, {{3, 0}, {3, 0}}));
  CHECK_FALSE(of_all(fleiss_kappa, {{1, 0}, {0, 1}}));
  CHECK_FALSE(of_all(fleiss_kappa, {}));
  CHECK(of_all(fleiss_kappa, {{3, 0}, {0, 3}}) == 1.0);
  CHECK(of_all(fleiss_kappa, {{3}, {0, 3}}) == 1.0);  // classes that a case does not reach may be left out
}

TEST_CASE("Krippendorff's alpha of the textbook table with missing ratings", "[report][agreement]") {
  const auto cases = matched({"*****34121133*3", "1*213343*******", "**21344*21133*4"});
  CHECK_THAT(of_all(nominal_alpha, counted(cases)).value(), WithinAbs(.691358, 5e-7));
  CHECK_THAT(of_all(interval_alpha, cases).value(), WithinAbs(.810845, 5e-7));
}

TEST_CASE("Krippendorff's alpha of the tables that inspect_ai is tested with", "[report][agreement]") {
  const auto check = [](const std::vector<Values>& cases, double expected) {
    CHECK_THAT(of_all(nominal_alpha, counted(cases)).value(), WithinAbs(expected, 1e-12));
  };
  check({{0, 1}, {1, 0}, {0, 1}, {1, 0}}, -.75);
  check({{1, 1, 1}, {0, 0, 0}, {1, 1, 1}, {0, 0, 1}}, 1 - 132.0 / 420);
  check({{1, 1, 0}, {0, 0}}, 1.0 / 3);
  CHECK_THAT(of_all(interval_alpha, {{1, 2}, {3, 4}, {1, 1}}).value(), WithinAbs(19.0 / 24, 1e-12));
  // Where no two ratings differ others say 1, and NaN where there are none. Here there is no value.
  CHECK_FALSE(of_all(nominal_alpha, counted({{1, 1}, {1, 1}})));
  CHECK_FALSE(of_all(interval_alpha, {{0.1, 0.1}, {0.1, 0.1, 0.1}}));
  CHECK_FALSE(of_all(nominal_alpha, {}));
  CHECK_FALSE(of_all(interval_alpha, {}));
}

TEST_CASE("Krippendorff's alpha is that of all pairs of ratings", "[report][agreement]") {
  CaseDraws draws(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<Values> cases(12);
    for (Values& one : cases) {
      one.resize(2 + draws.below(4));
      for (double& value : one) value = static_cast<double>(draws.below(5));
    }
    CHECK_THAT(of_all(nominal_alpha, counted(cases)).value(), WithinAbs(slow_alpha(cases, nominal), 1e-12));
    CHECK_THAT(of_all(interval_alpha, cases).value(), WithinAbs(slow_alpha(cases, interval), 1e-12));
  }
}

TEST_CASE("cases are drawn by splitmix64, whose published numbers these are", "[report][agreement]") {
  CaseDraws draws(1234567);
  const std::size_t n = 1000003;
  CHECK(draws.below(n) == 6457827717110365317U % n);
  CHECK(draws.below(n) == 3203168211198807973U % n);
  CHECK(draws.below(n) == 9817491932198370423U % n);
  CHECK(draws.below(n) == 4593380528125082431U % n);
  CHECK(draws.below(n) == 16408922859458223821U % n);
}

TEST_CASE("the middle 95 % leave 2.5 % out at each end", "[report][agreement]") {
  std::vector<double> values;
  for (int i = 999; i >= 0; --i) values.push_back(i);
  const auto middle = middle_of(values);
  REQUIRE(middle);
  CHECK(middle->low == 24);
  CHECK(middle->high == 975);
  CHECK(middle_of({2, 1})->low == 1);
  CHECK_FALSE(middle_of({1, 1, 1}));
  CHECK_FALSE(middle_of({}));
}

TEST_CASE("the bootstrap interval of kappa has the width of its large-sample standard error", "[report][agreement]") {
  // Fleiss, Cohen, Everitt 1969, equation 13, for [[.4, .1], [.2, .3]] and 1000 cases.
  const double p[2][2] = {{.4, .1}, {.2, .3}};
  const double first[2] = {.5, .5};
  const double second[2] = {.6, .4};
  const double po = .7;
  const double pe = .5;
  double variance = -std::pow(po * pe - 2 * pe + po, 2);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      variance += i == j ? p[i][j] * std::pow((1 - pe) - (first[i] + second[i]) * (1 - po), 2)
                         : p[i][j] * std::pow((1 - po) * (second[i] + first[j]), 2);
    }
  }
  const double std_error = std::sqrt(variance / 1000) / std::pow(1 - pe, 2);
  const Estimate kappa = estimated(table({{20, 5}, {10, 15}}, 20), cohen_kappa);
  CHECK(kappa.n_cases == 1000);
  CHECK(kappa.n_draws == kBootstrapDraws);
  CHECK_THAT(kappa.value.value(), WithinAbs(.4, 1e-12));
  REQUIRE(kappa.interval);
  // A 2.5 % point of 1000 draws has a standard deviation of sqrt(.025 * .975 / 1000) / phi(1.96) = .085 SE.
  CHECK_THAT(kappa.interval->low, WithinAbs(.4 - 1.96 * std_error, 3 * .085 * std_error));
  CHECK_THAT(kappa.interval->high, WithinAbs(.4 + 1.96 * std_error, 3 * .085 * std_error));
}

TEST_CASE("a resample is a case for each case, with replacement", "[report][agreement]") {
  // Two cases, one alike and one not: half of all resamples mix them, a quarter is each of them twice. Kappa of the
  // mixture {0 0, 1 0} is 0, of {1 0} twice 0, and {0 0} twice has none.
  const Estimate kappa = estimated(std::vector<LabelPair>{{0, 0}, {1, 0}}, cohen_kappa);
  CHECK(kappa.value == 0.0);
  CHECK_FALSE(kappa.interval);  // all draws alike
  CHECK_THAT(static_cast<double>(kappa.n_draws), WithinAbs(750, 3 * std::sqrt(1000 * .25 * .75)));
}

TEST_CASE("an estimate without a value has no draws", "[report][agreement]") {
  const Estimate one_class = estimated(table({{7}}), cohen_kappa);
  CHECK(one_class.n_cases == 7);
  CHECK_FALSE(one_class.value);
  CHECK(one_class.n_draws == 0);
  CHECK(estimated(std::vector<Values>{}, interval_alpha).n_cases == 0);
}

TEST_CASE("an audit without errors bounds their share by 1 - 0.05^(1/n)", "[report][agreement]") {
  CHECK_THAT(error_share_bound(0, 67), WithinAbs(.0437, 5e-5));
  CHECK_THAT(error_share_bound(0, 10), WithinAbs(.259, 5e-4));
  for (const std::size_t n : {1U, 2U, 67U, 1000U, 100000U}) {
    const double closed = -std::expm1(std::log(.05) / static_cast<double>(n));
    CHECK_THAT(error_share_bound(0, n), WithinAbs(closed, 1e-12));
  }
}

TEST_CASE("with the bound as the share of errors so few are found 5 times in 100", "[report][agreement]") {
  for (const std::size_t n : {5U, 67U, 500U}) {
    for (const std::size_t errors : {0U, 1U, 2U, 4U}) {
      CHECK_THAT(binomial_tail(errors, n, error_share_bound(errors, n)), WithinAbs(.05, 1e-9));
    }
  }
  CHECK(error_share_bound(3, 3) == 1);
}
