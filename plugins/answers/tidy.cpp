#include "answers/tidy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/characters.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 30> kSigns{{{"−", "-"},
                                       {"–", "-"},
                                       {"×", "\\times "},
                                       {"·", "\\cdot "},
                                       {"⋅", "\\cdot "},
                                       {"÷", "\\div "},
                                       {"π", "\\pi "},
                                       {"∞", "\\infty "},
                                       {"√", "\\sqrt "},
                                       {"°", "^\\circ "},
                                       {"²", "^2"},
                                       {"³", "^3"},
                                       {"≤", "\\le "},
                                       {"≥", "\\ge "},
                                       {"≠", "\\ne "},
                                       {"≈", "\\approx "},
                                       {"∪", "\\cup "},
                                       {"∩", "\\cap "},
                                       {"∅", "\\emptyset "},
                                       {"∈", "\\in "},
                                       {"±", "\\pm "},
                                       {"½", "\\frac{1}{2}"},
                                       {"¼", "\\frac{1}{4}"},
                                       {"¾", "\\frac{3}{4}"},
                                       {"θ", "\\theta "},
                                       {"α", "\\alpha "},
                                       {"β", "\\beta "},
                                       {"€", ""},
                                       {"£", ""},
                                       {"\u00a0", " "}}};

constexpr std::array<std::string_view, 9> kForTheEye{"\\displaystyle", "\\textstyle", "\\limits", "\\mleft", "\\mright",
                                                     "\\bigl",         "\\bigr",      "\\Bigl",   "\\Bigr"};

/// Words that stand for a sign or a comma, alone or in \text{}.
constexpr std::array<Pair, 5> kWords{
    {{"percentage", "\\%"}, {"percent", "\\%"}, {"pct", "\\%"}, {"and", ","}, {"or", ","}}};

constexpr std::array<std::string_view, 5> kTextCommands{"\\text", "\\textbf", "\\textnormal", "\\mbox", "\\mathrm"};

std::string with_signs_as_latex(std::string text) {
  for (const auto& [sign, latex] : kSigns) text = replaced(text, sign, latex);
  return text;
}

/// \left and \right before a delimiter; \leftarrow stays.
std::string without_sizes(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    for (const std::string_view command : {std::string_view("\\left"), std::string_view("\\right")}) {
      if (starts_with_at(text, at, command)) length = command.size();
    }
    const std::size_t next = at + length;
    if (length == 0 || (next < text.size() && is_letter(text[next]))) {
      result += text[at++];
      continue;
    }
    at = next < text.size() && text[next] == '.' ? next + 1 : next;
  }
  return result;
}

/// Doubled backslashes before a command are an escape too many, but end a row in matrices.
std::string with_single_backslashes(std::string_view text) {
  if (text.find("matrix") != std::string_view::npos || text.find("array") != std::string_view::npos)
    return std::string(text);
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_with_at(text, at, "\\\\") && at + 2 < text.size() && is_letter(text[at + 2])) continue;
    result += text[at];
  }
  return result;
}

/// Behind {,} with or without blanks inside; `at` where it does not stand.
std::size_t past_braced_comma(std::string_view text, std::size_t at) {
  if (text[at] != '{') return at;
  const std::size_t comma = text.find_first_not_of(kBlank, at + 1);
  if (comma == std::string_view::npos || text[comma] != ',') return at;
  const std::size_t close = text.find_first_not_of(kBlank, comma + 1);
  return close != std::string_view::npos && text[close] == '}' ? close + 1 : at;
}

/// Thousands that are set apart: 12,\!000 and 12{,}000 give 12,000; 12\,000 gives 12000.
std::string with_plain_thousands(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (starts_with_at(text, at, "\\!")) {
      at = std::min(text.find_first_not_of(kBlank, at + 2), text.size());
    } else if (const std::size_t end = past_braced_comma(text, at); end != at) {
      result = trimmed(result);
      result += ',';
      at = end;
    } else if (starts_with_at(text, at, "\\,") && !result.empty() && is_digit(result.back()) && at + 4 < text.size() &&
               std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at) + 2,
                           text.begin() + static_cast<std::ptrdiff_t>(at) + 5, is_digit)) {
      at += 2;
    } else {
      result += text[at++];
    }
  }
  return result;
}

/// The end of `\text{word}` or `word` that begins at `at`; `at` itself when it does not stand there.
std::size_t end_of_word(std::string_view text, std::size_t at, std::string_view word) {
  for (const std::string_view command : kTextCommands) {
    if (!starts_with_at(text, at, command)) continue;
    const std::size_t open = at + command.size();
    if (open >= text.size() || text[open] != '{') continue;
    const std::size_t close = text.find('}', open);
    if (close != std::string_view::npos && trimmed(text.substr(open + 1, close - open - 1)) == word) return close + 1;
  }
  const std::size_t end = at + word.size();
  const bool alone = starts_with_at(text, at, word) &&
                     (at == 0 || (!is_letter(text[at - 1]) && text[at - 1] != '\\')) &&
                     (end == text.size() || !is_letter(text[end]));
  return alone ? end : at;
}

/// `, and` is one comma.
std::string with_words_as_signs(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    std::string_view sign;
    for (auto word = kWords.begin(); word != kWords.end() && end == at; ++word) {
      end = end_of_word(text, at, word->first);
      sign = word->second;
    }
    if (end == at) {
      result += text[at++];
      continue;
    }
    const std::string_view before = trimmed(result);
    if (sign == "," && (before.empty() || before.back() == ',')) sign = " ";
    result.append(sign);
    at = end;
  }
  return result;
}

}  // namespace

std::string tidied(std::string_view latex) {
  std::string text = with_signs_as_latex(std::string(latex));
  text = with_plain_thousands(text);
  text = erased(erased(erased(text, "\\$"), "$"), "\"");
  for (const std::string_view dropped : kForTheEye) text = erased(text, dropped);
  text = without_sizes(with_single_backslashes(text));
  text = with_words_as_signs(text);
  constexpr std::string_view kEnd = " \t\r\n\f\v.,;:";
  return std::string(trimmed(text.substr(0, text.find_last_not_of(kEnd) + 1)));
}

}  // namespace lowbit::answers
