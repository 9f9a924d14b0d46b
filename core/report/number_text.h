// Numbers as pages show them, with a true minus sign. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lowbit::report {

/// With so many digits after the point, and no minus sign before a zero.
[[nodiscard]] std::string fixed(double value, std::size_t digits);
/// With a plus sign where it is positive.
[[nodiscard]] std::string fixed_signed(double value, std::size_t digits);
/// With so many significant digits, as %g; "nan", "inf", "−inf".
[[nodiscard]] std::string significant(double value, int digits);
[[nodiscard]] std::string signed_significant(double value, int digits);
/// With the digits that give the number back.
[[nodiscard]] std::string unrounded(double value);
/// "1.2 to 3.4", or "1.2" where both ends are printed so. REQUIRES: a value.
[[nodiscard]] std::string range(const std::vector<double>& values, std::size_t digits);
/// "0.013", "< 0.0001": two significant digits.
[[nodiscard]] std::string p_value_text(double p);

}  // namespace lowbit::report
