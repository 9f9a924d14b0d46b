#include "report/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace lowbit::report {
namespace {

constexpr const char* kMinus = "−";

std::string of_magnitude(double value, const std::string& magnitude) {
  const bool zero = magnitude.find_first_of("123456789ni") == std::string::npos;
  return value < 0 && !zero ? kMinus + magnitude : magnitude;
}

std::string with_plus(double value, const std::string& text) {
  return value > 0 && text.find_first_of("123456789i") != std::string::npos ? "+" + text : text;
}

}  // namespace

std::string fixed(double value, std::size_t digits) {
  std::array<char, 400> buffer{};  // the largest double has 309 digits before the point
  const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                            std::chars_format::fixed, static_cast<int>(digits));
  return of_magnitude(value, {buffer.data(), end});
}

std::string fixed_signed(double value, std::size_t digits) { return with_plus(value, fixed(value, digits)); }

std::string significant(double value, int digits) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*g", digits, std::abs(value));
  return of_magnitude(value, buffer.data());
}

std::string signed_significant(double value, int digits) { return with_plus(value, significant(value, digits)); }

std::string unrounded(double value) {
  std::array<char, 64> buffer{};
  const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value));
  return of_magnitude(value, {buffer.data(), end});
}

std::string range(const std::vector<double>& values, std::size_t digits) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const std::string from = fixed(*low, digits);
  const std::string to = fixed(*high, digits);
  return from == to ? from : from + " to " + to;
}

std::string p_value_text(double p) {
  if (p < 1e-4) return "< 0.0001";
  return "= " + fixed(p, p < 0.001 ? 5 : p < 0.01 ? 4 : p < 0.1 ? 3 : 2);
}

}  // namespace lowbit::report
