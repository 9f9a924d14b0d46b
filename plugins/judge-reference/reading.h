// What the numbers of an expression stand for. Two things are known of a quantity: its value, and the formula by which
// it follows from the problem's numbers. Formulas are compared as algebra, not as text: 12 + 3 * 7 and (7 * 3) + 12 are
// one, 3 * 7 and 3 + 18 are not, though their values are. To that end each number of the problem is replaced by a fixed
// random residue modulo the prime 2^31 - 1, and a formula is what it gives there; two different ones of these sizes
// agree with a probability below 10^-7 (Schwartz and Zippel).
//
// A number in a solution stands for every known quantity of its value; one that is unknown stands for itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "statement.h"

namespace lowbit::judge {

struct Quantity {
  Rational value;
  std::uint64_t formula = 0;
  bool derived = false;     ///< result of a step, not a number of the problem
  std::uint64_t lines = 0;  ///< bit i: line i of the solution led to it
};

/// A number as it stands in a problem.
[[nodiscard]] Quantity given(const Rational& number);
/// A number from nowhere: its formula is its value.
[[nodiscard]] Quantity literal(const Rational& number);

/// Exact; nothing when divided by zero or too large.
[[nodiscard]] std::optional<Rational> computed(const Rational& a, char op, const Rational& b);

/// One way to take an expression: `leaves[i]` is what node i stands for, for leaves.
struct Reading {
  Quantity result;
  std::vector<Quantity> leaves;
};
/// REQUIRES: no letters in it. The result of a choice of leaves, or nothing when it cannot be computed.
[[nodiscard]] std::optional<Quantity> evaluate(const Expression& expression, const std::vector<Quantity>& leaves);
/// All ways, at most kMaxReadings. REQUIRES: no letters in it.
inline constexpr std::size_t kMaxReadings = 64;
[[nodiscard]] std::vector<Reading> readings(const Expression& expression, const std::vector<Quantity>& known);

/// Value with every letter at `unknown`.
[[nodiscard]] std::optional<Rational> value_at(const Expression& expression, const Rational& unknown);

}  // namespace lowbit::judge
