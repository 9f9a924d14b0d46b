#include "report/ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace lowbit::report {
namespace {

constexpr double kSlack = 1e-9;  // of a step: what division leaves of a multiple
constexpr int kFewTicks = 3;

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
  const double last = std::floor(high / step.size + kSlack);
  for (double i = std::ceil(low / step.size - kSlack); i <= last; ++i) {
    // A quotient is nearer to the decimal number than a product with what a fraction was rounded to.
    const double scale = std::pow(10.0, step.digits);
    const double value = step.digits > 0 ? i * std::round(step.size * scale) / scale : i * step.size;
    at.push_back(std::clamp(value == 0 ? 0.0 : value, low, high));
  }
  return at;
}

}  // namespace

Ticks linear_ticks(double low, double high, int most) {
  const Step step = step_for(low, high, most);
  return {multiples(low, high, step), step.digits};
}

Ticks log_ticks(double low, double high, int most) {
  const int first = static_cast<int>(std::floor(std::log10(low))) - 1;
  const int last = static_cast<int>(std::ceil(std::log10(high))) + 1;
  const auto within = [&](const std::vector<double>& factors, int every) {
    Ticks ticks;
    for (int exponent = first; exponent <= last; ++exponent) {
      if (exponent % every != 0) continue;
      for (const double factor : factors) {
        const double value = exponent < 0 ? factor / std::pow(10.0, -exponent) : factor * std::pow(10.0, exponent);
        if (value < low * (1 - kSlack) || value > high * (1 + kSlack)) continue;
        ticks.at.push_back(value);
        if (exponent < 0) ticks.digits = std::max(ticks.digits, -exponent);
      }
    }
    return ticks;
  };
  Ticks ticks = within({1}, 1);
  for (int every = 2; static_cast<int>(ticks.at.size()) > most; ++every) ticks = within({1}, every);
  if (static_cast<int>(ticks.at.size()) >= kFewTicks) return ticks;
  ticks = within({1, 2, 5}, 1);
  const int n = static_cast<int>(ticks.at.size());
  return n >= kFewTicks && n <= most ? ticks : linear_ticks(low, high, most);
}

std::string tick_text(double value, int digits) {
  constexpr double kLarge = 1e6;
  constexpr int kMostDigits = 6;
  std::array<char, 64> text{};
  const bool plain = std::abs(value) < kLarge && digits <= kMostDigits;
  std::snprintf(text.data(), text.size(), plain ? "%.*f" : "%.*g", plain ? digits : 3, std::abs(value));
  const std::string number = text.data();
  const bool is_zero = number.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !is_zero ? "−" + number : number;
}

double Scale::operator()(double value) const {
  const double share = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + share * (to - from);
}

Scale scale_around(double low, double high, bool log, int most) {
  constexpr double kMargin = 0.05;
  Scale scale{.low = low, .high = high, .log = log};
  if (log) {
    const double margin = low < high ? std::pow(high / low, kMargin) : 2;
    scale.low = low / margin;
    scale.high = high * margin;
    return scale;
  }
  if (low == high) {
    const double margin = low == 0 ? 1 : std::abs(low) / 10;
    scale.low = low - margin;
    scale.high = high + margin;
  }
  const double size = step_for(scale.low, scale.high, most).size;
  scale.low = std::floor(scale.low / size + kSlack) * size;
  scale.high = std::ceil(scale.high / size - kSlack) * size;
  return scale;
}

}  // namespace lowbit::report
