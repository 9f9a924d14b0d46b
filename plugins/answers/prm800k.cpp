// openai/prm800k, grading/grader.py: grade_answer.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>
#include <vector>

#include "answers/characters.h"
#include "answers/latex_strings.h"
#include "answers/latex_to_text.h"
#include "answers/scalar_answers.h"
#include "answers/string_graders.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

std::size_t past_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// The content of \text{...} when that is all there is.
std::string_view without_outer_text(std::string_view text) {
  constexpr std::string_view kText = "\\text{";
  const bool whole = text.size() > kText.size() + 1 && starts_with_at(text, 0, kText) && text.back() == '}' &&
                     text.find('\n') == std::string_view::npos;
  return whole ? text.substr(kText.size(), text.size() - kText.size() - 1) : text;
}

/// Without the underscores that Python allows between digits.
std::string without_underscores(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool inner =
        text[at] == '_' && at > 0 && at + 1 < text.size() && is_digit(text[at - 1]) && is_digit(text[at + 1]);
    if (!inner) result += text[at];
  }
  return result;
}

/// A decimal number as Python's float() reads it, but for names.
std::optional<double> python_float(std::string_view typed) {
  const std::string plain = without_underscores(trimmed(typed));
  const std::string_view text = plain;
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t whole = at;
  at = past_digits(text, at);
  std::size_t n_digits = at - whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = past_digits(text, at + 1);
    n_digits += end - at - 1;
    at = end;
  }
  if (n_digits == 0) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = at + 1 < text.size() && (text[at + 1] == '-' || text[at + 1] == '+') ? at + 2 : at + 1;
    const std::size_t end = past_digits(text, sign);
    if (end == sign) return std::nullopt;
    at = end;
  }
  if (at != text.size()) return std::nullopt;
  return std::strtod(std::string(text).c_str(), nullptr);
}

bool is_integer(double value) { return std::isfinite(value) && std::abs(value - std::nearbyint(value)) <= 1e-7; }

std::string written(double integer) {
  std::array<char, 400> digits{};
  std::snprintf(digits.data(), digits.size(), "%.0f", integer == 0 ? 0.0 : integer);
  return digits.data();
}

/// Without commas between a digit and three that end a run, again and again.
std::string without_thousands(std::string text) {
  for (std::size_t at = text.find(','); at != std::string::npos; at = text.find(',', at)) {
    if (at > 0 && is_digit(text[at - 1]) && past_digits(text, at + 1) == at + 4) {
      text.erase(at, 1);
    } else {
      ++at;
    }
  }
  return text;
}

bool names_integer(const std::string& text) {
  const auto value = python_float(without_thousands(text));
  return value && is_integer(*value);
}

/// Without the unit, its plural and a power of it, wherever it stands.
std::string without_unit(std::string_view text, std::string_view unit) {
  std::string result;
  for (;;) {
    std::size_t at = text.find(unit);
    result.append(text.substr(0, at));
    if (at == std::string_view::npos) return result;
    at += unit.size();
    if (starts_with_at(text, at, "es")) at += 2;
    if (at < text.size() && text[at] == 's') ++at;
    at = std::min(text.find_first_not_of(' ', at), text.size());
    if (at < text.size() && text[at] == '^' && past_digits(text, at + 1) > at + 1) at = past_digits(text, at + 1);
    text.remove_prefix(at);
  }
}

std::string without_circles(std::string_view text) {
  constexpr std::string_view kCircle = "\\circ";
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = text[at] == '^' ? text.find_first_not_of(' ', at + 1) : std::string_view::npos;
    if (next != std::string_view::npos && starts_with_at(text, next, kCircle)) {
      at = next + kCircle.size();
    } else {
      result += text[at++];
    }
  }
  return result;
}

/// Blanks behind `mark` are dropped with what `kept` leaves of it.
std::string without_blanks_behind(std::string_view text, std::string_view mark, std::string_view kept) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (!starts_with_at(text, at, mark)) {
      result += text[at++];
      continue;
    }
    result.append(kept);
    at = std::min(text.find_first_not_of(' ', at + mark.size()), text.size());
  }
  return result;
}

/// 7 3/4 as 7+3/4: blanks between digits become a sum.
std::string with_mixed_numbers(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = text[at] == ' ' ? text.find_first_not_of(' ', at) : at;
    const bool between =
        next != at && next != std::string_view::npos && is_digit(text[next]) && at > 0 && is_digit(text[at - 1]);
    if (between) {
      result += '+';
      at = next;
    } else {
      result += text[at++];
    }
  }
  return result;
}

/// `_normalize`.
std::string plain_form(std::string_view answer) {
  constexpr std::array<std::string_view, 16> kUnits{"degree", "cm",   "centimeter", "meter", "mile",  "second",
                                                    "minute", "hour", "day",        "week",  "month", "year",
                                                    "foot",   "feet", "inch",       "yard"};
  std::string text(without_outer_text(answer));
  text = erased(erased(replaced(replaced(text, "\\%", "%"), "\\$", "$"), "$"), "%");
  text = replaced(replaced(text, " or ", " , "), " and ", " , ");
  text = replaced(text, "million", "*10^6");
  text = replaced(replaced(text, "billion", "*10^9"), "trillion", "*10^12");
  for (const std::string_view unit : kUnits) text = without_unit(text, unit);
  text = without_circles(text);
  if (!text.empty() && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  text = without_blanks_behind(text, ",\\!", "");
  if (const auto value = python_float(text); value && is_integer(*value)) text = written(*value);
  if (text.find('\\') != std::string::npos) text = latex_to_text(text);
  text = without_blanks_behind(text, "-", "-");
  text = erased(erased(erased(with_mixed_numbers(text), " "), "{"), "}");
  text = lowered(text);
  if (names_integer(text)) {
    if (const auto value = python_float(erased(text, ","))) text = written(std::trunc(*value));
  }
  return text;
}

/// `math_normalize.normalize_answer`.
std::string mathd_form(std::string_view answer) {
  const std::string_view text = trimmed(without_outer_text(trimmed(answer)));
  return hendrycks_form(text).value_or(std::string(text));
}

constexpr std::string_view kBrackets = "()[]";

std::vector<std::string> elements_of(const std::string& answer) {
  const std::string text = without_thousands(answer);
  if (text.empty()) return {};
  const bool bracketed = text.size() > 2 && kBrackets.find(text.front()) != std::string_view::npos &&
                         kBrackets.find(text.back()) != std::string_view::npos &&
                         text.find_first_of(kBrackets, 1) == text.size() - 1;
  if (!bracketed) return {text};
  std::vector<std::string> elements;
  std::string_view rest = std::string_view(text).substr(1, text.size() - 2);
  for (;;) {
    const std::size_t comma = rest.find(',');
    elements.emplace_back(trimmed(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return elements;
    rest.remove_prefix(comma + 1);
  }
}

/// -?[0-9]+.?/0*[1-9][0-9]*.?
bool is_fraction(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::size_t begin = text[0] == '-' ? 1 : 0;
  const std::size_t top = past_digits(text, begin);
  if (top == begin || (slash != top && slash != top + 1)) return false;
  const std::size_t bottom = past_digits(text, slash + 1);
  const bool positive = text.find_first_of("123456789", slash + 1) < bottom;
  return positive && bottom + 1 >= text.size();
}

/// Not with more than two letters, nor with powers that might hang the original.
bool may_be_computed(const std::string& a, const std::string& b) {
  const std::string both = erased(erased(a + "," + b, "sqrt"), "frac");
  std::set<char> letters;
  for (std::size_t at = 0; at < both.size(); ++at) {
    if (is_letter(both[at])) letters.insert(both[at]);
    if (both[at] != '^') continue;
    const std::size_t digits = past_digits(both, at + 1) - at - 1;
    const char behind = at + 1 + digits < both.size() ? both[at + 1 + digits] : ' ';
    if (digits >= 2 || (digits == 1 && behind == '^') || (digits == 0 && (behind == '{' || behind == '(')))
      return false;
  }
  return letters.size() <= 2;
}

/// A root without its parentheses is a name to the original.
bool has_bare_root(const std::string& text) {
  for (std::size_t at = text.find("sqrt"); at != std::string::npos; at = text.find("sqrt", at + 4)) {
    if (at + 4 >= text.size() || text[at + 4] != '(') return true;
  }
  return false;
}

bool same_element(const std::string& gold, const std::string& given) {
  if (is_fraction(gold) && is_fraction(given)) return gold == given;
  if (names_integer(gold) != names_integer(given)) return false;
  return !has_bare_root(gold) && !has_bare_root(given) && may_be_computed(gold, given) && same_expression(gold, given);
}

}  // namespace

bool prm800k_same(std::string_view given, std::string_view reference) {
  if (mathd_form(given) == mathd_form(reference)) return true;
  const std::string gold = plain_form(reference);
  const std::string answer = plain_form(given);
  if (gold == answer) return true;
  if (answer.empty()) return false;
  const auto gold_elements = elements_of(gold);
  const auto answer_elements = elements_of(answer);
  if (gold_elements.size() > 1 && (gold.front() != answer.front() || gold.back() != answer.back())) return false;
  return !gold_elements.empty() && std::equal(gold_elements.begin(), gold_elements.end(), answer_elements.begin(),
                                              answer_elements.end(), same_element);
}

}  // namespace lowbit::answers
