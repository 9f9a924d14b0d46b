#include "answers/normal_form.h"

#include <utility>

#include "answers/polynomial.h"

namespace lowbit::answers {
namespace {

/// Thrown at what has no normal form: sets, infinity, division by zero.
struct NoNormalForm {};

constexpr std::uint64_t kTrialDivisors = 20000;
constexpr std::int64_t kRootDegree = 64;
constexpr std::int64_t kFactorial = 3000;

class NormalForm {
 public:
  explicit NormalForm(Budget& budget) : budget_(budget), arithmetic_(budget) {}

  Quotient of(const Node& node) {
    budget_.spend(16);
    switch (node->kind) {
      case Kind::number: return rational(node->value);
      case Kind::symbol: return unknown(node->name, true);
      case Kind::constant: return named(node->name);
      case Kind::sum: return sum_of(node->parts);
      case Kind::product: return product_of(node->parts);
      case Kind::power: return power_of(node->parts[0], node->parts[1]);
      case Kind::function: return function_of(*node);
      default: throw NoNormalForm{};
    }
  }

  PolynomialArithmetic& arithmetic() { return arithmetic_; }

 private:
  static Quotient rational(const Number& value) { return {.top = constant_polynomial(value)}; }
  static Quotient unknown(const std::string& name, bool certain) {
    return {.top = {{{{name, Exponent(1)}}, Number(1)}}, .certain = certain};
  }
  static Quotient named(const std::string& name) {
    if (name == "infinity") throw NoNormalForm{};
    return unknown('#' + name, true);
  }

  Quotient sum_of(const std::vector<Node>& parts) {
    Quotient total;
    for (const Node& part : parts) total = arithmetic_.add(total, of(part));
    return total;
  }

  Quotient product_of(const std::vector<Node>& parts) {
    Quotient total = rational(1);
    for (const Node& part : parts) total = arithmetic_.multiply(total, of(part));
    return total;
  }

  Quotient power_of(const Node& base, const Node& exponent) {
    const Quotient x = of(exponent);
    if (const auto value = constant_value(x)) return raised(of(base), *value, false);
    return unknown("pow" + text_of(of(base)) + text_of(x), false);
  }

  /// `real_root`: roots of odd degree of negative numbers are negative.
  Quotient raised(const Quotient& base, const Number& exponent, bool real_root) {
    const Integer top = numerator(exponent);
    const Integer bottom = denominator(exponent);
    if (constant_value(base) == Number(1)) return base;
    if (abs(top) > kDegree || bottom > kDegree) throw TooLarge{};
    const Exponent r(static_cast<std::int64_t>(top), static_cast<std::int64_t>(bottom));
    if (base.top.empty()) {
      if (r <= Exponent(0)) throw NoNormalForm{};
      return base;
    }
    if (r.denominator() == 1) return arithmetic_.raise(base, r.numerator());
    const bool one_term = base.top.size() == 1 && base.bottom == constant_polynomial(1);
    if (!one_term || r.denominator() > kRootDegree) return opaque_root(base, r);
    const auto& [monomial, coefficient] = *base.top.begin();
    Quotient result = rational(1);
    result.certain = base.certain;
    if (coefficient < 0) {
      if (r.denominator() == 2) {
        result = arithmetic_.multiply(result, arithmetic_.raise(named("i"), r.numerator()));
      } else if (real_root && r.denominator() % 2 == 1) {
        if (r.numerator() % 2 != 0) result = arithmetic_.multiply(result, rational(-1));
      } else {
        return opaque_root(base, r);
      }
    }
    for (const auto& [name, power] : monomial) {
      const bool positive = name[0] == '#' && name != "#i";
      const bool alone = monomial.size() == 1 && power == Exponent(1) && name != "#i";
      if (!positive && !alone) return opaque_root(base, r);
      const Polynomial factor{{{{name, power * r}}, Number(1)}};
      result = arithmetic_.multiply(result, Quotient{.top = factor});
    }
    result = arithmetic_.multiply(result, root_of(abs(numerator(coefficient)), r));
    return arithmetic_.multiply(result, root_of(denominator(coefficient), -r));
  }

  static Quotient opaque_root(const Quotient& base, const Exponent& r) {
    return {.top = {{{{"root" + text_of(base), r}}, Number(1)}}, .certain = false};
  }

  /// n^r by the primes of n. REQUIRES: n > 0.
  Quotient root_of(Integer n, const Exponent& r) {
    Quotient result = rational(1);
    const auto multiply_root = [&](const Integer& prime, std::int64_t count) {
      const Polynomial one{{{}, Number(1)}};
      const Polynomial factor{{{{'#' + prime.str(), r * count}}, Number(1)}};
      result = arithmetic_.multiply(result, Quotient{.top = arithmetic_.multiply(factor, one)});
    };
    budget_.spend(kTrialDivisors * (msb(n) / 64 + 1));
    std::uint64_t divisor = 2;
    for (; divisor < kTrialDivisors && Integer(divisor) * divisor <= n; divisor += divisor == 2 ? 1 : 2) {
      std::int64_t count = 0;
      for (; n % divisor == 0; ++count) n /= divisor;
      if (count > 0) multiply_root(divisor, count);
    }
    if (n == 1) return result;
    const bool is_prime = Integer(divisor) * divisor > n;
    const Integer root = sqrt(n);
    if (!is_prime && root * root == n) {
      multiply_root(root, 2);
    } else {
      multiply_root(n, 1);
    }
    result.certain = is_prime;
    return result;
  }

  Quotient function_of(const Expression& call) {
    if (call.name == "root") {
      const auto degree = constant_value(of(call.parts[1]));
      if (!degree || *degree == 0) throw NoNormalForm{};
      return raised(of(call.parts[0]), 1 / *degree, true);
    }
    std::string name = call.name;
    std::vector<std::optional<Number>> values;
    bool plain = call.name.rfind("call ", 0) == 0;  // a function that nothing is known about hides no relation
    for (const Node& part : call.parts) name += argument_text(part, values, plain);
    if (const auto value = value_of(call.name, values)) return rational(*value);
    return unknown(name, plain);
  }

  std::string argument_text(const Node& part, std::vector<std::optional<Number>>& values, bool& plain) {
    if (is(part, Kind::chain)) {
      std::string text;
      for (const Node& side : part->parts) text += argument_text(side, values, plain);
      return text;
    }
    const Quotient argument = of(part);
    values.push_back(constant_value(argument));
    plain = plain && argument.certain && argument.bottom == constant_polynomial(1);
    return text_of(argument);
  }

  std::optional<Number> value_of(const std::string& name, const std::vector<std::optional<Number>>& values) {
    for (const auto& value : values) {
      if (!value) return std::nullopt;
    }
    if (name == "abs") return abs(*values[0]);
    if (name == "floor" || name == "ceil") {
      Integer whole = numerator(*values[0]) / denominator(*values[0]);
      if (Number(whole) > *values[0]) --whole;
      return Number(name == "ceil" && Number(whole) < *values[0] ? Integer(whole + 1) : whole);
    }
    const auto small = [&](const Number& value) {
      return denominator(value) == 1 && value >= 0 && value <= kFactorial;
    };
    if (name == "factorial" && small(*values[0])) return descending(*values[0], *values[0]);
    if (name == "binom" && small(*values[0]) && small(*values[1]) && *values[1] <= *values[0])
      return descending(*values[0], *values[1]) / descending(*values[1], *values[1]);
    if (name == "factorial" || name == "binom") throw TooLarge{};
    return std::nullopt;
  }

  /// n (n - 1) ... of k factors.
  Number descending(const Number& n, const Number& k) {
    Integer product = 1;
    Integer factor = numerator(n);
    for (Integer i = 0; i < numerator(k); ++i) {
      budget_.spend(1 + msb(product) / 64);
      product *= factor--;
    }
    return {product, 1};
  }

  Budget& budget_;
  PolynomialArithmetic arithmetic_;
};

}  // namespace

Sameness compare_exactly(const Node& a, const Node& b, Budget& budget) {
  NormalForm normal(budget);
  try {
    const Quotient left = normal.of(a);
    const Quotient right = normal.of(b);
    auto& arithmetic = normal.arithmetic();
    if (arithmetic.multiply(left.top, right.bottom) == arithmetic.multiply(right.top, left.bottom))
      return Sameness::same;
    return left.certain && right.certain ? Sameness::different : Sameness::unknown;
  } catch (const NoNormalForm&) {
    return Sameness::unknown;
  }
}

std::optional<Number> factor_between(const Node& a, const Node& b, Budget& budget) {
  NormalForm normal(budget);
  try {
    const Quotient left = normal.of(a);
    const Quotient right = normal.of(b);
    auto& arithmetic = normal.arithmetic();
    const Polynomial x = arithmetic.multiply(left.top, right.bottom);
    const Polynomial y = arithmetic.multiply(right.top, left.bottom);
    if (x.empty() || x.size() != y.size() || x.begin()->first != y.begin()->first) return std::nullopt;
    const Number factor = x.begin()->second / y.begin()->second;
    if (arithmetic.multiply(y, constant_polynomial(factor)) != x) return std::nullopt;
    return factor;
  } catch (const NoNormalForm&) {
    return std::nullopt;
  }
}

std::optional<Number> rational_value(const Node& node, Budget& budget) {
  NormalForm normal(budget);
  try {
    return constant_value(normal.of(node));
  } catch (const NoNormalForm&) {
    return std::nullopt;
  }
}

}  // namespace lowbit::answers
