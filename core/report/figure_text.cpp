#include "report/figure_text.h"

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

std::string fixed_text(double value, std::size_t digits) {
  std::array<char, 400> buffer{};  // the largest double has 309 digits before the point
  const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                            std::chars_format::fixed, static_cast<int>(digits));
  return of_magnitude(value, {buffer.data(), end});
}

std::string signed_fixed(double value, std::size_t digits) { return with_plus(value, fixed_text(value, digits)); }

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

}  // namespace lowbit::report
