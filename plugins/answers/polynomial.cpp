#include "answers/polynomial.h"

#include <optional>

#include "answers/characters.h"

namespace lowbit::answers {
namespace {

std::uint64_t bits(const Integer& value) { return value == 0 ? 1 : msb(abs(value)) + 1; }
std::uint64_t words(const Number& value) {
  const std::uint64_t size = bits(numerator(value)) + bits(denominator(value));
  if (size > kNumberBits) throw TooLarge{};
  return size / 64 + 1;
}

bool is_number_root(const std::string& unknown) {
  return unknown.size() > 1 && unknown[0] == '#' && is_digit(unknown[1]);
}

std::int64_t floor_of(const Exponent& exponent) {
  const std::int64_t quotient = exponent.numerator() / exponent.denominator();
  return exponent.numerator() < 0 && exponent.numerator() % exponent.denominator() != 0 ? quotient - 1 : quotient;
}

void check(const Exponent& exponent) {
  const auto beyond = [](std::int64_t n) { return n > kDegree || n < -kDegree; };
  if (beyond(exponent.numerator()) || beyond(exponent.denominator())) throw TooLarge{};
}

}  // namespace

void PolynomialArithmetic::charge(const Number& a, const Number& b) { budget_.spend(8 + 4 * words(a) * words(b)); }

Number PolynomialArithmetic::raise(const Number& base, std::int64_t n) {
  if (n < 0) return 1 / raise(base, -n);
  if (n > kDegree && abs(base) != 1 && base != 0) throw TooLarge{};
  if (abs(base) == 1) return n % 2 == 0 ? Number(1) : base;
  const std::uint64_t size = (bits(numerator(base)) + bits(denominator(base))) * static_cast<std::uint64_t>(n);
  if (size > kNumberBits) throw TooLarge{};
  budget_.spend(16 + (size / 64) * (size / 64));
  const auto exponent = static_cast<unsigned>(n);
  return {pow(numerator(base), exponent), pow(denominator(base), exponent)};
}

void PolynomialArithmetic::reduce(Monomial& monomial, Number& coefficient) {
  for (auto it = monomial.begin(); it != monomial.end();) {
    auto& [unknown, exponent] = *it;
    check(exponent);
    if (unknown == "#i") {
      if (exponent.denominator() != 1) throw TooLarge{};
      const std::int64_t turns = ((exponent.numerator() % 4) + 4) % 4;
      if (turns >= 2) coefficient = -coefficient;
      exponent = turns % 2;
    } else if (is_number_root(unknown)) {
      const std::int64_t whole = floor_of(exponent);
      if (whole != 0) {
        const Number factor = raise(Number(Integer(unknown.substr(1))), whole);
        charge(coefficient, factor);
        coefficient *= factor;
        exponent -= whole;
      }
    }
    it = exponent == Exponent(0) ? monomial.erase(it) : std::next(it);
  }
}

void PolynomialArithmetic::add_term(Polynomial& sum, const Monomial& monomial, const Number& coefficient) {
  if (coefficient == 0) return;
  const auto [it, is_new] = sum.try_emplace(monomial, coefficient);
  if (!is_new) {
    charge(it->second, coefficient);
    it->second += coefficient;
    if (it->second == 0) sum.erase(it);
  }
  if (sum.size() > kTerms) throw TooLarge{};
}

Polynomial PolynomialArithmetic::add(const Polynomial& a, const Polynomial& b) {
  Polynomial sum = a;
  for (const auto& [monomial, coefficient] : b) add_term(sum, monomial, coefficient);
  return sum;
}

Polynomial PolynomialArithmetic::multiply(const Polynomial& a, const Polynomial& b) {
  Polynomial product;
  for (const auto& [left, left_coefficient] : a) {
    for (const auto& [right, right_coefficient] : b) {
      charge(left_coefficient, right_coefficient);
      budget_.spend(32 * (left.size() + right.size()));
      Monomial monomial = left;
      for (const auto& [unknown, exponent] : right) monomial[unknown] += exponent;
      Number coefficient = left_coefficient * right_coefficient;
      reduce(monomial, coefficient);
      add_term(product, monomial, coefficient);
    }
  }
  return product;
}

Quotient PolynomialArithmetic::folded(Quotient quotient) {
  if (quotient.bottom.size() != 1) return quotient;
  const auto& [monomial, coefficient] = *quotient.bottom.begin();
  if (monomial.empty() && coefficient == 1) return quotient;
  Monomial inverse_monomial;
  for (const auto& [unknown, exponent] : monomial) inverse_monomial[unknown] = -exponent;
  Number inverse_coefficient = 1 / coefficient;
  reduce(inverse_monomial, inverse_coefficient);
  quotient.top = multiply(quotient.top, Polynomial{{inverse_monomial, inverse_coefficient}});
  quotient.bottom = constant_polynomial(1);
  return quotient;
}

Quotient PolynomialArithmetic::add(const Quotient& a, const Quotient& b) {
  const bool certain = a.certain && b.certain;
  if (a.bottom == b.bottom) return {.top = add(a.top, b.top), .bottom = a.bottom, .certain = certain};
  return folded({.top = add(multiply(a.top, b.bottom), multiply(b.top, a.bottom)),
                 .bottom = multiply(a.bottom, b.bottom),
                 .certain = certain});
}

Quotient PolynomialArithmetic::multiply(const Quotient& a, const Quotient& b) {
  return folded(
      {.top = multiply(a.top, b.top), .bottom = multiply(a.bottom, b.bottom), .certain = a.certain && b.certain});
}

Quotient PolynomialArithmetic::inverse(const Quotient& a) {
  return folded({.top = a.bottom, .bottom = a.top, .certain = a.certain});
}

Quotient PolynomialArithmetic::raise(const Quotient& a, std::int64_t n) {
  if (n < 0) return raise(inverse(a), -n);
  if (n > kDegree) throw TooLarge{};
  if (a.top.size() == 1 && a.bottom == constant_polynomial(1)) {
    Monomial monomial = a.top.begin()->first;
    for (auto& [unknown, exponent] : monomial) exponent *= n;
    Number coefficient = raise(a.top.begin()->second, n);
    reduce(monomial, coefficient);
    return {.top = {{monomial, coefficient}}, .certain = a.certain};
  }
  Quotient result{.top = constant_polynomial(1), .certain = a.certain};
  for (std::int64_t i = 0; i < n && !result.top.empty(); ++i) result = multiply(result, a);
  return result;
}

std::optional<Number> constant_value(const Quotient& quotient) {
  if (quotient.bottom != constant_polynomial(1)) return std::nullopt;
  if (quotient.top.empty()) return Number(0);
  if (quotient.top.size() != 1 || !quotient.top.begin()->first.empty()) return std::nullopt;
  return quotient.top.begin()->second;
}

std::string text_of(const Quotient& quotient) {
  // The first coefficient below is made 1.
  const Number scale = quotient.bottom.begin()->second;
  const auto text = [&](const Polynomial& polynomial) {
    std::string result;
    for (const auto& [monomial, coefficient] : polynomial) {
      result += '+' + Number(coefficient / scale).str();
      for (const auto& [unknown, exponent] : monomial) {
        result +=
            '*' + unknown + '^' + std::to_string(exponent.numerator()) + '/' + std::to_string(exponent.denominator());
      }
    }
    return result;
  };
  std::string result = '[' + text(quotient.top) + "]/[" + text(quotient.bottom) + ']';
  if (result.size() > kNumberBits) throw TooLarge{};
  return result;
}

}  // namespace lowbit::answers
