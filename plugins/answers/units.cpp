// Which words behind a number are its unit.
#include <algorithm>
#include <array>

#include "answers/characters.h"
#include "answers/text.h"
#include "answers/tidy.h"

namespace lowbit::answers {
namespace {

// In the singular; -s and -es are taken off before looking.
constexpr std::array<std::string_view, 95> kUnits{
    "acre",     "angle", "apple",  "ball",    "bean",    "bin",  "block", "book",    "box",   "boy",      "candy",
    "cc",       "cent",  "cm",     "coin",    "cookie",  "cube", "cubic", "cup",     "day",   "deg",      "degree",
    "digit",    "dm",    "dollar", "edge",    "egg",     "euro", "feet",  "foot",    "ft",    "gallon",   "gal",
    "girl",     "gm",    "gram",   "hectare", "hour",    "hr",   "inch",  "integer", "kg",    "km",       "kmph",
    "lb",       "liter", "litre",  "marble",  "mark",    "meal", "men",   "meter",   "metre", "mile",     "min",
    "minute",   "ml",    "mm",     "month",   "mph",     "ohm",  "ounce", "oz",      "page",  "pair",     "people",
    "person",   "piece", "point",  "pound",   "radian",  "rad",  "rs",    "rupee",   "sec",   "second",   "side",
    "solution", "sq",    "square", "step",    "student", "tile", "time",  "ton",     "toy",   "triangle", "unit",
    "vote",     "way",   "week",   "women",   "yard",    "year", "yuan"};

bool is_unit(std::string_view word) {
  const std::string lower = lowered(word);
  const auto known = [](std::string_view name) {
    return std::find(kUnits.begin(), kUnits.end(), name) != kUnits.end();
  };
  const std::string_view name = lower;
  const auto ends = [&](std::string_view tail) {
    return name.size() > tail.size() && name.substr(name.size() - tail.size()) == tail;
  };
  return known(name) || (ends("s") && known(name.substr(0, name.size() - 1))) ||
         (ends("es") && known(name.substr(0, name.size() - 2)));
}

/// Without ^2, ^{2} or ^3 at its end: the power of a unit.
std::string_view without_power(std::string_view text) {
  for (const std::string_view power : {"^2", "^3", "^{2}", "^{3}"}) {
    if (text.size() > power.size() && text.substr(text.size() - power.size()) == power)
      return trimmed(text.substr(0, text.size() - power.size()));
  }
  return text;
}

/// Without \text{...} at its end when something that can have a unit stands before it.
std::string_view without_text(std::string_view text) {
  const std::string_view body = without_power(text);
  for (const std::string_view command : {"\\text{", "\\textbf{", "\\textnormal{", "\\mbox{", "\\mathrm{"}) {
    const std::size_t at = body.rfind(command);
    if (at == std::string_view::npos || closing_brace(body, at + command.size() - 1) != body.size() - 1) continue;
    const std::string_view before = trimmed(body.substr(0, at));
    if (before.empty()) return text;
    const char last = before.back();
    if (is_digit(last) || is_letter(last) || last == '}' || last == ')' || last == '%') return before;
  }
  return text;
}

/// Without one word for a unit at its end; what stands before it must end in a number or in another unit.
std::string_view without_word(std::string_view text) {
  const std::string_view body = without_power(text);
  std::size_t begin = body.size();
  while (begin > 0 && is_letter(body[begin - 1])) --begin;
  if (begin == 0 || begin == body.size() || body[begin - 1] == '\\' || !is_unit(body.substr(begin))) return text;
  const std::string_view before = trimmed(body.substr(0, begin));
  if (before.empty()) return text;
  const char last = before.back();
  if (is_digit(last) || last == '}' || last == ')') return before;
  std::size_t word = before.size();
  while (word > 0 && is_letter(before[word - 1])) --word;
  return is_unit(before.substr(word)) ? before : text;
}

}  // namespace

std::string without_units(std::string_view latex) {
  std::string_view text = trimmed(latex);
  for (int i = 0; i < 4; ++i) text = without_word(without_text(text));
  return std::string(text);
}

}  // namespace lowbit::answers
