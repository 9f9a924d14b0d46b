#include "answers/formulas.h"

#include <algorithm>

#include "answers/characters.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

constexpr std::size_t kRow = 6;

bool is_blank(char c) { return kBlank.find(c) != std::string_view::npos; }
std::size_t past_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(kBlank, at), text.size());
}
std::size_t past_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// Behind a comma, `and`, `or` or a comma with one of them; `at` without any.
std::size_t past_joint(std::string_view text, std::size_t at) {
  const std::size_t begin = past_blanks(text, at);
  std::size_t end = begin;
  if (end < text.size() && text[end] == ',') ++end;
  const std::size_t word = end;
  for (const std::string_view joint : {"and", "or"}) {
    if (starts_with_at(text, word, joint)) end = word + joint.size();
  }
  return end == begin ? at : past_blanks(text, end);
}

}  // namespace

std::size_t end_of_percent(std::string_view text, std::size_t at) {
  const std::size_t begin = past_blanks(text, at);
  for (const std::string_view word : {"\\%", "%", "percentage", "Percentage", "percent", "Percent", "pct", "Pct"}) {
    if (starts_with_at(text, begin, word)) return begin + word.size();
  }
  return at;
}

FormulaFinder::FormulaFinder(std::string_view text)
    : text_(text),
      dollar_(next_of("$", false)),
      dollars_(next_of("$$", false)),
      bracket_(next_of("\\]", false)),
      parenthesis_(next_of("\\)", false)),
      line_end_(next_of("\n", true)),
      square_(next_of("]", true)) {}

FormulaFinder::Next FormulaFinder::next_of(std::string_view mark, bool escaped_too) const {
  Next next(text_.size() + 1, static_cast<std::uint32_t>(text_.size()));
  for (std::size_t at = text_.size(); at-- > 0;) {
    const bool here = starts_with_at(text_, at, mark) && (escaped_too || !escaped(at));
    next[at] = here ? static_cast<std::uint32_t>(at) : next[at + 1];
  }
  return next;
}

std::optional<Formula> FormulaFinder::between(std::size_t begin, std::size_t content, std::size_t close,
                                              std::size_t mark) const {
  if (close >= text_.size() || close <= content) return std::nullopt;
  const std::size_t end = close + mark;
  const std::size_t percent = end_of_percent(text_, end);
  return Formula{.begin = begin,
                 .end = percent == end ? past_blanks(text_, end) : percent,
                 .content = text_.substr(content, close - content),
                 .percent = percent != end};
}

std::optional<Formula> FormulaFinder::formula_at(std::size_t at) const {
  if (at >= text_.size()) return std::nullopt;
  const auto next = [&](const Next& marks, std::size_t from) {
    return std::size_t{marks[std::min(from, text_.size())]};
  };
  const auto in_line = [&](std::size_t content, std::size_t close, std::size_t mark) -> std::optional<Formula> {
    if (next(line_end_, content) < close) return std::nullopt;
    return between(at, content, close, mark);
  };
  if (starts_with_at(text_, at, "$$") && !escaped(at)) {
    if (auto found = between(at, at + 2, next(dollars_, at + 3), 2)) return found;
  }
  if (starts_with_at(text_, at, "\\[") && !escaped(at)) return between(at, at + 2, next(bracket_, at + 2), 2);
  if (text_[at] == '$' && !escaped(at) && (at == 0 || !is_digit(text_[at - 1])))
    return in_line(at + 1, next(dollar_, at + 1), 1);
  if (starts_with_at(text_, at, "\\(") && !escaped(at)) return in_line(at + 2, next(parenthesis_, at + 2), 2);
  if (is_blank(text_[at]) && at + 1 < text_.size() && text_[at + 1] == '[') {
    const std::size_t close = next(square_, at + 2);
    const bool alone = close + 1 < text_.size() && is_blank(text_[close + 1]);
    if (alone && close < at + 2000 && text_.substr(at + 2, close - at - 2).find('[') == std::string_view::npos)
      return in_line(at + 2, close, 2);
    return std::nullopt;
  }
  return fraction_at(at);
}

/// -\frac{1}{2} with numbers for arguments.
std::optional<Formula> FormulaFinder::fraction_at(std::size_t at) const {
  std::size_t end = at + (text_[at] == '-' ? 1 : 0);
  if (!starts_with_at(text_, end, "\\frac{")) return std::nullopt;
  end += 5;
  for (int i = 0; i < 2; ++i) {
    if (end >= text_.size() || text_[end] != '{') return std::nullopt;
    ++end;
    if (end < text_.size() && text_[end] == '-') ++end;
    const std::size_t digits = end;
    end = past_digits(text_, end);
    if (end == digits) return std::nullopt;
    if (end + 1 < text_.size() && (text_[end] == '.' || text_[end] == ',') && is_digit(text_[end + 1]))
      end = past_digits(text_, end + 1);
    if (end >= text_.size() || text_[end] != '}') return std::nullopt;
    ++end;
  }
  return between(at, at, end - 1, 1).has_value()
             ? std::optional(Formula{.begin = at, .end = end, .content = text_.substr(at, end - at)})
             : std::nullopt;
}

std::optional<FormulaRow> FormulaFinder::row_at(std::size_t at) const {
  auto formula = formula_at(at);
  if (!formula) return std::nullopt;
  FormulaRow row{.begin = formula->begin, .end = formula->end, .formulas = {}};
  while (formula) {
    row.end = formula->end;
    row.formulas.push_back(*formula);
    const std::size_t joint = past_joint(text_, row.end);
    if (joint == row.end || row.formulas.size() == kRow) break;
    formula = formula_at(joint);
  }
  return row;
}

namespace {

/// Behind what must stand before a typed number: the beginning, a blank or =, and maybe **. Nothing elsewhere.
std::optional<std::size_t> past_prefix(std::string_view text, std::size_t at) {
  std::size_t end = at;
  if (at < text.size() && (is_blank(text[at]) || text[at] == '=')) {
    ++end;
  } else if (at != 0) {
    return std::nullopt;
  }
  return starts_with_at(text, end, "**") ? end + 2 : end;
}

std::size_t past_currency(std::string_view text, std::size_t at) {
  for (const std::string_view sign : {"$", "€", "£", "¥", "₹", "₽", "₩"}) {
    if (starts_with_at(text, at, sign)) return at + sign.size();
  }
  return at;
}

std::size_t past_grouped(std::string_view text, std::size_t at) {
  const std::size_t first = past_digits(text, at);
  if (first == at || first - at > 3 || text[at] == '0') return at;
  std::size_t end = first;
  while (end < text.size() && (text[end] == ',' || text[end] == ' ') && past_digits(text, end + 1) >= end + 4) end += 4;
  if (end == first) return at;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) end = past_digits(text, end + 1);
  return end;
}

/// Behind 1,000.5, 1 000, 12.5, 12,5, .5 or 12; `at` without a number.
std::size_t past_number(std::string_view text, std::size_t at) {
  const std::size_t digits = at + (at < text.size() && text[at] == '-' ? 1 : 0);
  if (const std::size_t grouped = past_grouped(text, digits); grouped != digits) return grouped;
  const std::size_t whole = past_digits(text, digits);
  const bool point = whole + 1 < text.size() && is_digit(text[whole + 1]) &&
                     (text[whole] == '.' || (text[whole] == ',' && whole != digits));
  if (whole == digits && (!point || digits != at)) return at;
  return point ? past_digits(text, whole + 1) : whole;
}

/// The length of an operator or parenthesis of typed arithmetic, 0 for anything else.
std::size_t operator_length(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  if (std::string_view("+-*/^()").find(text[at]) != std::string_view::npos) return 1;
  for (const std::string_view sign : {"×", "÷"}) {
    if (starts_with_at(text, at, sign)) return sign.size();
  }
  return 0;
}

constexpr std::size_t kTyped = 400;  // bytes of typed arithmetic that are looked at

}  // namespace

std::optional<TypedNumber> typed_number_at(std::string_view text, std::size_t at) {
  const auto prefix = past_prefix(text, at);
  if (!prefix) return std::nullopt;
  const std::size_t begin = past_currency(text, *prefix);
  const std::size_t end = past_number(text, begin);
  if (end == begin) return std::nullopt;
  const std::size_t percent = end_of_percent(text, end);
  return TypedNumber{.begin = at, .end = percent, .text = text.substr(begin, end - begin), .percent = percent != end};
}

std::optional<TypedNumber> typed_expression_at(std::string_view text, std::size_t at) {
  const auto begin = past_prefix(text, at);
  if (!begin) return std::nullopt;
  std::size_t first = *begin;
  for (const char c : {'-', '(', '-'}) {
    if (first < text.size() && text[first] == c) ++first;
  }
  if (first >= text.size() || !is_digit(text[first])) return std::nullopt;
  // The longest run of what arithmetic is typed with, and in it the first operator.
  std::size_t end = first;
  std::size_t first_operator = std::string_view::npos;
  while (end < text.size() && end < first + kTyped) {
    const std::size_t sign = operator_length(text, end);
    if (sign == 0 && !is_digit(text[end]) && text[end] != '.' && !is_blank(text[end])) break;
    if (sign > 0 && first_operator == std::string_view::npos) first_operator = end + sign;
    end += std::max<std::size_t>(sign, 1);
  }
  if (first_operator == std::string_view::npos) return std::nullopt;
  // Ended by punctuation, a blank or a parenthesis, which may be the last of the run.
  constexpr std::string_view kBehind = ".,:)$ \t\r\n\f\v";
  while (end > first_operator && end < text.size() && kBehind.find(text[end]) == std::string_view::npos) --end;
  while (end > first_operator && (is_blank(text[end - 1]) || text[end - 1] == '.')) --end;
  if (end <= first_operator) return std::nullopt;
  return TypedNumber{.begin = at, .end = end, .text = text.substr(*begin, end - *begin), .expression = true};
}

}  // namespace lowbit::answers
