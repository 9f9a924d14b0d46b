// Numeric values to about 50 digits, for what has no exact normal form.
#pragma once

#include <boost/multiprecision/cpp_complex.hpp>
#include <cstdint>
#include <optional>

#include "answers/expression.h"
#include "answers/limits.h"

namespace lowbit::answers {

using Real = boost::multiprecision::cpp_bin_float_50;
using Complex = boost::multiprecision::cpp_complex_50;

/// The value where each variable, and each call of a function that is not known, has a value that follows from its name
/// and `point`. Nothing when it is undefined there, infinite, beyond 10^±100000, or no scalar. Throws TooLarge.
[[nodiscard]] std::optional<Complex> value_at(const Node& node, std::uint64_t point, Budget& budget);
/// The value when it is real and the same at all points: there are no variables.
[[nodiscard]] std::optional<Real> real_value(const Node& node, Budget& budget);

[[nodiscard]] bool has_variables(const Expression& node);
/// Equal to 32 significant digits, or both within 10^-40 of zero.
[[nodiscard]] bool close(const Complex& a, const Complex& b);

}  // namespace lowbit::answers
