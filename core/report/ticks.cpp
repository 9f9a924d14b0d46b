#include "report/ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace lowbit::report {
namespace {

constexpr double kSlack = 1e-9;  // of a step: what division leaves of a multiple
constexpr int kFewTicks = 3;
constexpr int kMostWidenings = 8;  // two in practice: rounding must not make it endless

struct Step {
  double size = 1;
  int digits = 0;
};

/// The finest of 1, 2 and 5 times powers of ten of which at most `most` multiples lie in the range.
Step step_for(double low, double high, int most) {
  constexpr std::array<double, 3> kFactors{1, 2, 5};
  for (int exponent = static_cast<int>(std::floor(std::log10((high - low) / most))) - 1;; ++exponent) {
    for (const double factor : kFactors) {
      const double size =
          exponent < 0 ? factor / std::pow(10.0, -exponent) : factor * std::pow(10.0, exponent);  // exact either way
      const double n = std::floor(high / size + kSlack) - std::ceil(low / size - kSlack) + 1;
      if (n <= most) return {size, std::max(0, -exponent)};
    }
  }
}

std::vector<double> multiples(double low, double high, const Step& step) {
  std::vector<double> at;
  const double first = std::ceil(low / step.size - kSlack);
  const auto n = static_cast<int>(std::floor(high / step.size + kSlack) - first) + 1;
  // A quotient is nearer to the decimal number than a product with what a fraction was rounded to.
  const double scale = std::pow(10.0, step.digits);
  for (int i = 0; i < n; ++i) {
    const double multiple = first + i;
    const double value = step.digits > 0 ? multiple * std::round(step.size * scale) / scale : multiple * step.size;
    at.push_back(std::clamp(value == 0 ? 0.0 : value, low, high));
  }
  return at;
}

/// Nothing between them can be told apart from rounding.
bool is_point(double low, double high) { return high - low <= kSlack * std::max(std::abs(low), std::abs(high)); }

}  // namespace

Ticks linear_ticks(double low, double high, int most) {
  if (is_point(low, high)) return {{low}, kShortest};
  const Step step = step_for(low, high, most);
  return {multiples(low, high, step), step.digits};
}

Ticks log_ticks(double low, double high, int most) {
  const int first = static_cast<int>(std::floor(std::log10(low))) - 1;
  const int last = static_cast<int>(std::ceil(std::log10(high))) + 1;
  const auto within = [&](const std::vector<double>& factors, int every) {
    Ticks ticks{.at = {}, .digits = kShortest};
    for (int exponent = first; exponent <= last; ++exponent) {
      if (exponent % every != 0) continue;
      for (const double factor : factors) {
        const double value = exponent < 0 ? factor / std::pow(10.0, -exponent) : factor * std::pow(10.0, exponent);
        if (value >= low && value <= high) ticks.at.push_back(value);
      }
    }
    return ticks;
  };
  const auto n_of = [](const Ticks& ticks) { return static_cast<int>(ticks.at.size()); };
  Ticks finest = within({1, 2, 3, 4, 5, 6, 7, 8, 9}, 1);
  if (n_of(finest) < kFewTicks) return linear_ticks(low, high, most);
  if (n_of(finest) <= most) return finest;
  for (const std::vector<double>& factors : {std::vector<double>{1, 2, 3, 5, 7}, {1, 2, 5}, {1, 3}, {1}}) {
    Ticks ticks = within(factors, 1);
    if (n_of(ticks) <= most) return ticks;
  }
  for (int every = 2;; ++every) {
    Ticks ticks = within({1}, every);
    if (n_of(ticks) <= most) return ticks;
  }
}

std::string tick_text(double value, int digits) {
  constexpr double kLarge = 1e6;
  constexpr int kMostDigits = 6;
  std::array<char, 64> text{};
  const bool plain = std::abs(value) < kLarge && digits <= kMostDigits && digits != kShortest;
  std::snprintf(text.data(), text.size(), plain ? "%.*f" : "%.*g", plain ? digits : kMostDigits, std::abs(value));
  const std::string number = text.data();
  const bool is_zero = number.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !is_zero ? "−" + number : number;
}

double Scale::operator()(double value) const {
  const double share =
      log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low)) : (value - low) / (high - low);
  return from + share * (to - from);
}

Scale scale_around(double low, double high, bool log, int most) {
  constexpr double kMargin = 0.05;
  Scale scale{.low = low, .high = high, .log = log};
  if (log) {
    const double margin = is_point(low, high) ? 2 : std::exp(kMargin * (std::log(high) - std::log(low)));
    scale.low = std::max(low / margin, kLeastDrawn / 1e5);
    scale.high = std::min(high * margin, kMostDrawn * 1e5);
    return scale;
  }
  if (is_point(low, high)) {
    const double margin = std::abs(low) < kLeastDrawn ? 1 : std::abs(low) / 10;
    scale.low = low - margin;
    scale.high = high + margin;
  }
  // A step that leaves room for `most` ticks also after it has moved the ends.
  for (int i = 0; i < kMostWidenings; ++i) {
    const double size = step_for(scale.low, scale.high, most).size;
    const double lower = std::floor(scale.low / size + kSlack) * size;
    const double higher = std::ceil(scale.high / size - kSlack) * size;
    if (lower >= scale.low && higher <= scale.high) return scale;
    scale.low = std::min(lower, scale.low);
    scale.high = std::max(higher, scale.high);
  }
  return scale;
}

}  // namespace lowbit::report
