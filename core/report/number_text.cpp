#include "report/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace lowbit::report {

std::string fixed(double value, std::size_t digits) {
  std::array<char, 400> buffer{};  // the largest double has 309 digits before the point
  const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                            std::chars_format::fixed, static_cast<int>(digits));
  const std::string text(buffer.data(), end);
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? "−" + text : text;
}

std::string fixed_signed(double value, std::size_t digits) {
  const std::string text = fixed(value, digits);
  return value > 0 && text.find_first_not_of("0.") != std::string::npos ? "+" + text : text;
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
