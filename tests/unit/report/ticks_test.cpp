#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "report/ticks.h"

using namespace lowbit::report;
using Catch::Matchers::WithinRel;

namespace {

/// The factor 1, 2 or 5 of a step, or 0 when it has none.
int factor_of(double step) {
  const double mantissa = step / std::pow(10, std::floor(std::log10(step) + 1e-9));
  for (const int factor : {1, 2, 5}) {
    if (std::abs(mantissa - factor) < 1e-6) return factor;
  }
  return 0;
}

std::vector<std::string> texts(const Ticks& ticks) {
  std::vector<std::string> out;
  for (const double value : ticks.at) out.push_back(tick_text(value, ticks.digits));
  return out;
}

}  // namespace

TEST_CASE("linear ticks are all multiples of one good step in the range", "[report][ticks]") {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> exponent(-8, 8);
  std::uniform_real_distribution<double> place(-5, 5);
  for (int i = 0; i < 3000; ++i) {
    const double length = std::pow(10, exponent(random));
    const double low = place(random) * length;
    const double high = low + length;
    const int most = 2 + i % 12;
    const Ticks ticks = linear_ticks(low, high, most);
    INFO(low << " to " << high << ", at most " << most);
    CAPTURE(ticks.at);
    REQUIRE(static_cast<int>(ticks.at.size()) <= most);
    for (const double value : ticks.at) REQUIRE((value >= low && value <= high));
    if (ticks.at.size() < 2) continue;
    const double step = ticks.at[1] - ticks.at[0];
    const int factor = factor_of(step);
    REQUIRE(factor != 0);
    for (std::size_t n = 0; n < ticks.at.size(); ++n) {
      const double multiple = std::round(ticks.at[n] / step);
      REQUIRE(std::abs(ticks.at[n] - multiple * step) <= 1e-6 * step);
      if (n > 0) REQUIRE(std::abs(ticks.at[n] - ticks.at[n - 1] - step) <= 1e-6 * step);
    }
    // None is left out at the ends, and the next finer step would be too fine.
    REQUIRE(ticks.at.front() - step < low + 1e-6 * step);
    REQUIRE(ticks.at.back() + step > high - 1e-6 * step);
    const double finer = step / (factor == 5 ? 2.5 : 2);
    REQUIRE(std::floor(high / finer + 1e-6) - std::ceil(low / finer - 1e-6) + 1 > most);
    // What is printed tells them apart and is exact.
    const std::vector<std::string> printed = texts(ticks);
    for (std::size_t n = 1; n < printed.size(); ++n) REQUIRE(printed[n] != printed[n - 1]);
  }
}

TEST_CASE("ticks that people would choose", "[report][ticks]") {
  CHECK(texts(linear_ticks(0, 1, 6)) == std::vector<std::string>{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(texts(linear_ticks(-30, 60, 5)) == std::vector<std::string>{"−20", "0", "20", "40", "60"});
  CHECK(texts(linear_ticks(0.13, 0.171, 5)) == std::vector<std::string>{"0.13", "0.14", "0.15", "0.16", "0.17"});
  CHECK(texts(log_ticks(0.03, 4000, 6)) == std::vector<std::string>{"0.1", "1", "10", "100", "1000"});
  CHECK(texts(log_ticks(4, 550, 8)) == std::vector<std::string>{"5", "10", "20", "50", "100", "200", "500"});
  CHECK(texts(log_ticks(1e-9, 1e9, 5)) == std::vector<std::string>{"1e-08", "0.0001", "1", "10000", "1e+08"});
  CHECK(texts(log_ticks(1.05, 1.75, 6)) == std::vector<std::string>{"1.2", "1.4", "1.6"});  // linear
  CHECK(tick_text(-0.0004, 2) == "0.00");
  CHECK(tick_text(-2.5, 1) == "−2.5");
  CHECK(tick_text(12'345'678, 0) == "1.23457e+07");
}

TEST_CASE("logarithmic ticks lie in the range and are neither too many nor too few", "[report][ticks]") {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> exponent(-6, 6);
  for (int i = 0; i < 3000; ++i) {
    const double low = std::pow(10, exponent(random));
    const double high = low * std::pow(10, std::abs(exponent(random)) + 0.01);
    const int most = 4 + i % 6;
    const Ticks ticks = log_ticks(low, high, most);
    INFO(low << " to " << high << ", at most " << most);
    CAPTURE(ticks.at);
    REQUIRE(static_cast<int>(ticks.at.size()) <= most);
    REQUIRE(ticks.at.size() >= 1);
    if (high / low >= 10) REQUIRE(ticks.at.size() >= 2);
    for (std::size_t n = 0; n < ticks.at.size(); ++n) {
      REQUIRE((ticks.at[n] >= low && ticks.at[n] <= high));
      if (n > 0) REQUIRE(ticks.at[n] > ticks.at[n - 1]);
    }
  }
}

TEST_CASE("a scale maps its ends to its ends, and keeps order and proportion", "[report][ticks]") {
  const Scale up{.low = 2, .high = 6, .log = false, .from = 100, .to = 20};
  CHECK(up(2) == 100);
  CHECK(up(6) == 20);
  CHECK(up(3) == 80);
  const Scale log{.low = 1, .high = 100, .log = true, .from = 0, .to = 50};
  CHECK_THAT(log(10), WithinRel(25.0, 1e-12));
  CHECK_THAT(log(std::sqrt(10)), WithinRel(12.5, 1e-12));
}

TEST_CASE("the range around values holds them and is never of no length", "[report][ticks]") {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> value(-1000, 1000);
  for (int i = 0; i < 2000; ++i) {
    const double a = value(random);
    const double b = i % 10 == 0 ? a : value(random);
    const double low = std::min(a, b);
    const double high = std::max(a, b);
    const Scale scale = scale_around(low, high, false, 7);
    INFO(low << " to " << high);
    REQUIRE((scale.low <= low && scale.high >= high && scale.low < scale.high));
    const Ticks ticks = scale.ticks(7);
    REQUIRE(ticks.at.size() <= 7);
    // The ends are ticks.
    REQUIRE(std::abs(ticks.at.front() - scale.low) < 1e-6 * (scale.high - scale.low));
    REQUIRE(std::abs(ticks.at.back() - scale.high) < 1e-6 * (scale.high - scale.low));
    const double l = std::exp(low / 200);
    const double h = std::exp(high / 200);
    const Scale log = scale_around(l, h, true, 7);
    REQUIRE((log.low > 0 && log.low < l && log.high > h));
  }
}

TEST_CASE("no range, however short, far or long, is endless or without ticks", "[report][ticks]") {
  const std::vector<double> values{0, 1e-320, 1e-300, 1e-5, 1, 1e15, 1e17, 1e17 + 64, 1e299, 1e300};
  for (const double a : values) {
    for (const double b : values) {
      for (const double sign : {1.0, -1.0}) {
        const double low = std::min(a * sign, b);
        const double high = std::max(a * sign, b);
        INFO(low << " to " << high);
        const Scale scale = scale_around(low, high, false, 6);
        CHECK((scale.low <= low && scale.high >= high && scale.low < scale.high));
        CHECK_FALSE(scale.ticks(6).at.empty());
        if (low < high) CHECK_FALSE(linear_ticks(low, high, 6).at.size() > 6);
        if (low < kLeastDrawn) continue;
        const Scale log = scale_around(low, high, true, 6);
        CHECK((std::isfinite(log(low)) && std::isfinite(log(high)) && log.ticks(6).at.size() <= 6));
      }
    }
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double never : {std::nan(""), kInfinity, -kInfinity, 1.1e300}) CHECK_FALSE(can_be_drawn(never, false));
  CHECK((can_be_drawn(0, false) && !can_be_drawn(0, true) && can_be_drawn(1, true) && !can_be_drawn(-1, true)));
}
