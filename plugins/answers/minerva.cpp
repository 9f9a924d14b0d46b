#include <array>
#include <utility>

#include "answers/characters.h"
#include "answers/latex_strings.h"
#include "answers/minerva_words.h"
#include "answers/scalar_answers.h"
#include "answers/string_graders.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

constexpr std::string_view kAnnounced = "Final Answer: The final answer is";
constexpr std::string_view kHope = " I hope it is correct";

/// What stands between the first two dollar signs of a line instead of the line.
std::string between_dollars(std::string_view text) {
  const std::size_t first = text.find('$');
  const std::size_t second = first == std::string_view::npos ? first : text.find('$', first + 1);
  if (second == std::string_view::npos || text.find('\n') != std::string_view::npos) return std::string(text);
  return std::string(text.substr(first, second + 1 - first));
}

}  // namespace

std::string minerva_form(std::string_view answer) {
  const std::size_t sign = answer.rfind('=');
  std::string text = without_minerva_words(sign == std::string_view::npos ? answer : answer.substr(sign + 1));
  text = between_dollars(text);
  for (const std::string_view command : {"\\text{", "\\textbf{", "\\overline{"}) text = unwrapped(text, command);
  text = unwrapped(text, "\\boxed{", true);
  text = with_braces_behind(with_braces_behind(text, "frac", 2), "sqrt", 1);
  return without_digit_commas(erased(text, "$"));
}

std::optional<std::string> minerva_answer(std::string_view response) {
  const std::string text = std::string(response) + "I hope it is correct.";
  for (std::size_t at = text.find(kAnnounced); at != std::string::npos; at = text.find(kAnnounced, at + 1)) {
    const std::size_t begin = at + kAnnounced.size();
    const std::size_t hope = text.find(kHope, begin + 1);
    if (hope == std::string::npos || hope + kHope.size() >= text.size() || text.find('\n', begin) < hope) continue;
    return std::string(trimmed(std::string_view(text).substr(begin, hope - 1 - begin)));
  }
  return std::nullopt;
}

bool minerva_same(std::string_view given, std::string_view reference) {
  return same_expression(minerva_form(given), minerva_form(reference));
}

}  // namespace lowbit::answers
