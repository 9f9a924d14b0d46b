#include "answers/grade.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "answers/characters.h"

namespace lowbit::answers {
namespace {

constexpr size_t kDigits = 18;  // what std::int64_t always holds

/// Drops commas that group thousands; nothing when a comma stands elsewhere.
std::optional<std::string> without_commas(std::string_view digits) {
  const size_t first = digits.find(',');
  if (first == std::string_view::npos) return std::string(digits);
  if (first == 0 || first > 3) return std::nullopt;
  std::string result(digits.substr(0, first));
  for (std::string_view rest = digits.substr(first); !rest.empty(); rest.remove_prefix(4)) {
    if (rest.size() < 4 || rest.front() != ',' || rest.substr(1, 3).find(',') != std::string_view::npos)
      return std::nullopt;
    result += rest.substr(1, 3);
  }
  return result;
}

/// Digits with at most one point: 12, 1,234.5, .5
std::optional<Rational> read_decimal(std::string_view text) {
  const size_t point = text.find('.');
  const auto whole = without_commas(text.substr(0, point));
  const std::string_view fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (!whole || (point != std::string_view::npos && fraction.empty())) return std::nullopt;
  std::string digits = *whole + std::string(fraction);
  if (digits.empty()) return std::nullopt;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
  }
  size_t scale = fraction.size();
  while (scale > 0 && digits.back() == '0') {
    digits.pop_back();
    --scale;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > kDigits || scale > kDigits) return std::nullopt;
  Rational number;
  for (const char c : digits) number.numerator = number.numerator * 10 + (c - '0');
  for (size_t i = 0; i < scale; ++i) number.denominator *= 10;
  return number;
}

/// Top and bottom of a/b and \frac{a}{b}.
struct Parts {
  std::string_view top, bottom;
};
std::optional<Parts> fraction_parts(std::string_view text) {
  constexpr std::string_view kFrac = "\\frac{";
  if (text.substr(0, kFrac.size()) == kFrac) {
    const size_t middle = text.find("}{");
    if (middle == std::string_view::npos || text.back() != '}' || middle + 2 >= text.size()) return std::nullopt;
    return Parts{text.substr(kFrac.size(), middle - kFrac.size()), text.substr(middle + 2, text.size() - middle - 3)};
  }
  const size_t bar = text.find('/');
  if (bar == std::string_view::npos) return std::nullopt;
  return Parts{text.substr(0, bar), text.substr(bar + 1)};
}

std::optional<Rational> quotient(const Rational& a, const Rational& b) {
  if (b.numerator == 0) return std::nullopt;
  Rational result;
  if (__builtin_mul_overflow(a.numerator, b.denominator, &result.numerator) ||
      __builtin_mul_overflow(a.denominator, b.numerator, &result.denominator)) {
    return std::nullopt;
  }
  return result;
}

}  // namespace

std::optional<Rational> read_number(std::string_view text) {
  text = trimmed(text, " \t\r\n\f\v$");
  if (!text.empty() && text.back() == '.') text = trimmed(text.substr(0, text.size() - 1));
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text = trimmed(text.substr(1));

  std::optional<Rational> number;
  if (const auto parts = fraction_parts(text)) {
    const auto top = read_decimal(trimmed(parts->top));
    const auto bottom = read_decimal(trimmed(parts->bottom));
    if (top && bottom) number = quotient(*top, *bottom);
  } else {
    number = read_decimal(text);
  }
  if (!number) return std::nullopt;
  const std::int64_t divisor = std::gcd(number->numerator, number->denominator);
  return Rational{(negative ? -1 : 1) * (number->numerator / divisor), number->denominator / divisor};
}

bool same_answer(std::string_view given, std::string_view reference) {
  const auto a = read_number(given);
  const auto b = read_number(reference);
  if (a && b) return *a == *b;
  return trimmed(given) == trimmed(reference);
}

}  // namespace lowbit::answers
