#include "reading.h"

#include <numeric>

namespace lowbit::judge {
namespace {

constexpr std::uint64_t kPrime = 2147483647;  // 2^31 - 1

std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

std::uint64_t power(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1U, base = base * base % kPrime) {
    if ((exponent & 1U) != 0) result = result * base % kPrime;
  }
  return result;
}

std::uint64_t residue(std::int64_t number) {
  const auto p = static_cast<std::int64_t>(kPrime);
  return static_cast<std::uint64_t>((number % p + p) % p);
}

std::optional<std::uint64_t> residue_of(std::uint64_t a, char op, std::uint64_t b) {
  switch (op) {
    case '+': return (a + b) % kPrime;
    case '-': return (a + kPrime - b) % kPrime;
    case '*': return a * b % kPrime;
    default: break;
  }
  if (b == 0) return std::nullopt;
  return a * power(b, kPrime - 2) % kPrime;
}

std::optional<Rational> lowest(std::int64_t numerator, std::int64_t denominator) {
  if (denominator == 0 || numerator == INT64_MIN || denominator == INT64_MIN) return std::nullopt;
  const std::int64_t divisor = std::gcd(numerator, denominator) * (denominator < 0 ? -1 : 1);
  return Rational{numerator / divisor, denominator / divisor};
}

}  // namespace

Quantity given(const Rational& number) {
  const auto seed =
      splitmix64(static_cast<std::uint64_t>(number.numerator)) ^ static_cast<std::uint64_t>(number.denominator);
  return {.value = number, .formula = 1 + splitmix64(seed) % (kPrime - 1)};
}

Quantity literal(const Rational& number) {
  const auto formula = residue_of(residue(number.numerator), '/', residue(number.denominator));
  return {.value = number, .formula = formula.value_or(0)};
}

std::optional<Rational> computed(const Rational& a, char op, const Rational& b) {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t z = 0;
  if (op == '*' || op == '/') {
    const bool over = op == '/';
    if (__builtin_mul_overflow(a.numerator, over ? b.denominator : b.numerator, &x) ||
        __builtin_mul_overflow(a.denominator, over ? b.numerator : b.denominator, &y)) {
      return std::nullopt;
    }
    return lowest(x, y);
  }
  if (__builtin_mul_overflow(a.numerator, b.denominator, &x) ||
      __builtin_mul_overflow(b.numerator, a.denominator, &y) ||
      __builtin_mul_overflow(a.denominator, b.denominator, &z)) {
    return std::nullopt;
  }
  std::int64_t top = 0;
  if (op == '+' ? __builtin_add_overflow(x, y, &top) : __builtin_sub_overflow(x, y, &top)) return std::nullopt;
  return lowest(top, z);
}

std::optional<Quantity> evaluate(const Expression& expression, const std::vector<Quantity>& leaves) {
  std::vector<Quantity> results(leaves);
  for (std::size_t i = 0; i < expression.nodes.size(); ++i) {
    const Node& node = expression.nodes[i];
    if (node.op == 0) continue;
    const Quantity& a = results[node.left];
    const Quantity& b = results[node.right];
    const auto value = computed(a.value, node.op, b.value);
    const auto formula = residue_of(a.formula, node.op, b.formula);
    if (!value || !formula) return std::nullopt;
    results[i] = {.value = *value, .formula = *formula, .derived = true, .lines = a.lines | b.lines};
  }
  return results.back();
}

std::vector<Reading> readings(const Expression& expression, const std::vector<Quantity>& known) {
  std::vector<std::vector<Quantity>> choices{std::vector<Quantity>(expression.nodes.size())};
  for (std::size_t i = 0; i < expression.nodes.size(); ++i) {
    if (expression.nodes[i].op != 0) continue;
    std::vector<Quantity> meanings;
    for (const Quantity& quantity : known) {
      if (quantity.value == expression.nodes[i].number) meanings.push_back(quantity);
    }
    if (meanings.empty()) meanings.push_back(literal(expression.nodes[i].number));
    std::vector<std::vector<Quantity>> longer;
    for (const auto& choice : choices) {
      for (const Quantity& meaning : meanings) {
        if (longer.size() == kMaxReadings) break;
        longer.push_back(choice);
        longer.back()[i] = meaning;
      }
    }
    choices = std::move(longer);
  }
  std::vector<Reading> all;
  for (auto& leaves : choices) {
    if (const auto result = evaluate(expression, leaves)) all.push_back({*result, std::move(leaves)});
  }
  return all;
}

std::optional<Rational> value_at(const Expression& expression, const Rational& unknown) {
  std::vector<Rational> results(expression.nodes.size());
  for (std::size_t i = 0; i < expression.nodes.size(); ++i) {
    const Node& node = expression.nodes[i];
    if (node.op == 0) {
      results[i] = node.letter != 0 ? unknown : node.number;
      continue;
    }
    const auto value = computed(results[node.left], node.op, results[node.right]);
    if (!value) return std::nullopt;
    results[i] = *value;
  }
  return results.back();
}

}  // namespace lowbit::judge
