// Numbers as written: digits with at most one point, E-notation, repeating decimals, mixed numbers.
#include <charconv>

#include "answers/characters.h"
#include "answers/read_latex.h"
#include "answers/reader.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

Integer power_of_ten(std::size_t exponent) {
  return boost::multiprecision::pow(Integer(10), static_cast<unsigned>(exponent));
}

/// REQUIRES: digits only.
Integer integer_of(std::string_view digits) {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? Integer(0) : Integer(std::string(digits.substr(first)));
}

std::size_t end_of_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// Digits with thousands grouped by `separator`, from the beginning; where they end, 0 when they are not grouped.
std::size_t end_of_grouped(std::string_view text, char separator) {
  std::size_t at = end_of_digits(text, 0);
  if (at == 0 || at > 3 || text[0] == '0') return 0;
  std::size_t groups = 0;
  while (at < text.size() && text[at] == separator && end_of_digits(text, at + 1) == at + 4) {
    at += 4;
    ++groups;
  }
  return groups == 0 ? 0 : at;
}

}  // namespace

Node Reader::number_literal() {
  const std::size_t begin = at_;
  const std::size_t point = end_of_digits(text_, begin);
  std::size_t end = point;
  const bool decimal = point < text_.size() && text_[point] == '.' &&
                       (is_digit(peek(point - begin + 1)) || starts_with_at(text_, point + 1, "\\overline{"));
  if (decimal) end = end_of_digits(text_, point + 1);
  if (end - begin > kLiteralDigits) throw Unreadable{};
  std::string digits(text_.substr(begin, point - begin));
  const std::string_view fraction = decimal ? text_.substr(point + 1, end - point - 1) : std::string_view();
  digits.append(fraction);
  Number value(integer_of(digits), power_of_ten(fraction.size()));
  at_ = end;
  if (decimal && take("\\overline{")) {
    const std::size_t last = end_of_digits(text_, at_);
    const std::string_view repeated = text_.substr(at_, last - at_);
    if (repeated.empty() || repeated.size() > kLiteralDigits || last >= text_.size() || text_[last] != '}')
      throw Unreadable{};
    at_ = last + 1;
    value += Number(integer_of(repeated), power_of_ten(fraction.size()) * (power_of_ten(repeated.size()) - 1));
    return number(value);
  }
  const bool exponent_follows = (peek() == 'E' || peek() == 'e') &&
                                (is_digit(peek(1)) || ((peek(1) == '-' || peek(1) == '+') && is_digit(peek(2))));
  if (exponent_follows) {
    ++at_;
    const bool negative = peek() == '-';
    if (negative || peek() == '+') ++at_;
    const std::size_t last = end_of_digits(text_, at_);
    long exponent = 0;
    const auto read = std::from_chars(text_.data() + at_, text_.data() + last, exponent);
    if (read.ec != std::errc() || exponent > kLiteralExponent) throw Unreadable{};
    at_ = last;
    const Integer scale = power_of_ten(static_cast<std::size_t>(exponent));
    return number(negative ? Number(value / scale) : Number(value * scale), true);
  }
  if (peek() == '_') return subscripted(std::string(text_.substr(begin, end - begin)));  // written in another base
  return number(std::move(value), decimal);
}

/// 2\frac{1}{3}, 2\frac13 and 2 1/3: the whole and the fraction; null when no fraction of two integers follows.
Node Reader::mixed_with(const Node& whole) {
  if (whole->decimal || denominator(whole->value) != 1) return nullptr;
  const auto integer = [&]() -> Node {
    blanks();
    const std::size_t end = end_of_digits(text_, at_);
    if (end == at_ || end - at_ > kLiteralDigits) return nullptr;
    Node node = number(Number(integer_of(text_.substr(at_, end - at_))));
    at_ = end;
    return node;
  };
  Node top;
  Node bottom;
  const auto argument = [&]() -> Node {
    if (is_digit(peek())) return number(text_[at_++] - '0');
    if (!take("{")) return nullptr;
    Node node = integer();
    return node && take("}") ? node : nullptr;
  };
  if (take_command("\\frac") || take_command("\\dfrac") || take_command("\\tfrac")) {
    top = argument();
    if (!top) return nullptr;
    bottom = argument();
    if (!bottom) return nullptr;
  } else if (is_digit(peek()) && at_ > 0 && kBlank.find(text_[at_ - 1]) != std::string_view::npos) {
    top = integer();
    if (!top || !take("/")) return nullptr;
    bottom = integer();
    if (!bottom) return nullptr;
  } else {
    return nullptr;
  }
  if (bottom->value == 0) return nullptr;
  return number(whole->value + top->value / bottom->value);
}

std::optional<Node> read_typed_number(std::string_view text) {
  text = trimmed(text);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  std::string digits;
  std::size_t end = std::max(end_of_grouped(text, ','), end_of_grouped(text, ' '));
  if (end == 0) end = end_of_digits(text, 0);
  if (end > kLiteralDigits) return std::nullopt;
  for (const char c : text.substr(0, end)) {
    if (is_digit(c)) digits += c;
  }
  const bool decimal = end < text.size() && (text[end] == '.' || text[end] == ',');
  std::string_view fraction;
  if (decimal) fraction = text.substr(end + 1);
  if ((!decimal && end != text.size()) || (decimal && fraction.empty()) || digits.size() + fraction.size() == 0 ||
      end_of_digits(fraction, 0) != fraction.size() || fraction.size() > kLiteralDigits) {
    return std::nullopt;
  }
  digits.append(fraction);
  Number value(integer_of(digits), power_of_ten(fraction.size()));
  return number(negative ? Number(-value) : value, decimal);
}

}  // namespace lowbit::answers
