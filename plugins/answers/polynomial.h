// Polynomials over the rationals in named unknowns with rational exponents, and quotients of them; see normal_form.h.
#pragma once

#include <boost/rational.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "answers/expression.h"
#include "answers/limits.h"

namespace lowbit::answers {

using Exponent = boost::rational<std::int64_t>;
/// By unknown. "#i" is the imaginary unit, "#pi", "#e", "#7" the roots of 7; the rest are variables and the like. No
/// exponent is 0; those of numbers are in (0, 1), that of #i is 1.
using Monomial = std::map<std::string, Exponent>;
/// No coefficient is 0.
using Polynomial = std::map<Monomial, Number>;

/// top / bottom; `certain` while nothing in it may hide a relation between unknowns.
struct Quotient {
  Polynomial top, bottom = {{{}, Number(1)}};
  bool certain = true;
};

/// Arithmetic within a budget. Everything throws TooLarge.
class PolynomialArithmetic {
 public:
  explicit PolynomialArithmetic(Budget& budget) : budget_(budget) {}

  [[nodiscard]] Polynomial add(const Polynomial& a, const Polynomial& b);
  [[nodiscard]] Polynomial multiply(const Polynomial& a, const Polynomial& b);
  [[nodiscard]] Quotient add(const Quotient& a, const Quotient& b);
  [[nodiscard]] Quotient multiply(const Quotient& a, const Quotient& b);
  /// REQUIRES: a.top is not empty.
  [[nodiscard]] Quotient inverse(const Quotient& a);
  /// REQUIRES: a is not 0 where n < 0.
  [[nodiscard]] Quotient raise(const Quotient& a, std::int64_t n);
  [[nodiscard]] Number raise(const Number& base, std::int64_t n);

 private:
  /// Puts whole powers of numbers and of i into the coefficient.
  void reduce(Monomial& monomial, Number& coefficient);
  void add_term(Polynomial& sum, const Monomial& monomial, const Number& coefficient);
  void charge(const Number& a, const Number& b);
  /// One term below is divided through.
  [[nodiscard]] Quotient folded(Quotient quotient);

  Budget& budget_;
};

[[nodiscard]] inline Polynomial constant_polynomial(const Number& value) {
  return value == 0 ? Polynomial{} : Polynomial{{{}, value}};
}
/// The value when it has no unknowns.
[[nodiscard]] std::optional<Number> constant_value(const Quotient& quotient);
/// The same text for the same quotient where terms are equal up to a common factor.
[[nodiscard]] std::string text_of(const Quotient& quotient);

}  // namespace lowbit::answers
