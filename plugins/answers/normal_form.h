// Exact comparison: quotients of polynomials over the rationals in variables, pi, e, i, roots of primes and whatever
// else is taken as one unknown each (sin(x), sqrt(1 + x)).
//
// Roots of distinct primes are independent over the rationals (Besicovitch), so without unknowns of the last kind the
// answer is exact both ways; with them only "same" is certain. pi and e are taken to be independent.
#pragma once

#include <optional>

#include "answers/expression.h"
#include "answers/limits.h"

namespace lowbit::answers {

enum class Sameness { same, different, unknown };

/// Throws TooLarge. `unknown` also for what is no scalar or divides by zero.
[[nodiscard]] Sameness compare_exactly(const Node& a, const Node& b, Budget& budget);

/// The number k, not 0, with a = k b as expressions; nothing when there is none or it is not found. Throws TooLarge.
[[nodiscard]] std::optional<Number> factor_between(const Node& a, const Node& b, Budget& budget);

/// The value, when it is a rational number. Throws TooLarge.
[[nodiscard]] std::optional<Number> rational_value(const Node& node, Budget& budget);

}  // namespace lowbit::answers
