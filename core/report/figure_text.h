// Numbers as pages show them, with a true minus sign. Pure.
#pragma once

#include <cstddef>
#include <string>

namespace lowbit::report {

/// With so many digits after the point, and no minus sign before a zero.
[[nodiscard]] std::string fixed_text(double value, std::size_t digits);
/// With a plus sign where it is positive.
[[nodiscard]] std::string signed_fixed(double value, std::size_t digits);
/// With so many significant digits, as %g; "nan", "inf", "−inf".
[[nodiscard]] std::string significant(double value, int digits);
[[nodiscard]] std::string signed_significant(double value, int digits);
/// With the digits that give the number back.
[[nodiscard]] std::string unrounded(double value);

}  // namespace lowbit::report
