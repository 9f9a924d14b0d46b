// EleutherAI/lm-evaluation-harness, tasks gsm8k: filters strict-match and flexible-extract, metric exact_match.
#include "answers/characters.h"
#include "answers/string_graders.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

constexpr std::string_view kMark = "#### ";

template <typename Inside>
std::size_t end_of_run(std::string_view text, std::size_t at, Inside inside) {
  while (at < text.size() && inside(text[at])) ++at;
  return at;
}

bool is_numeral(char c) { return is_digit(c) || c == '.' || c == ','; }

/// What the metric ignores: commas, dollar signs, all up to the last mark, one full stop at the end, case.
std::string exact_form(std::string_view answer) {
  std::string text = erased(erased(answer, ","), "$");
  if (const std::size_t mark = text.rfind(kMark); mark != std::string::npos) text.erase(0, mark + kMark.size());
  if (!text.empty() && text.back() == '.') text.pop_back();
  return lowered(text);
}

}  // namespace

std::optional<std::string> gsm8k_strict_answer(std::string_view response) {
  for (std::size_t at = response.find(kMark); at != std::string_view::npos; at = response.find(kMark, at + 1)) {
    const std::size_t begin = at + kMark.size();
    const std::size_t digits = begin + (begin < response.size() && response[begin] == '-' ? 1 : 0);
    const std::size_t end = end_of_run(response, digits, is_numeral);
    if (end > digits) return std::string(response.substr(begin, end - begin));
  }
  return std::nullopt;
}

std::optional<std::string> gsm8k_flexible_answer(std::string_view response) {
  std::optional<std::string> last;
  for (std::size_t at = 0; at < response.size();) {
    const std::size_t first = at + (response[at] == '-' ? 1 : 0);
    std::size_t end = end_of_run(response, first, [](char c) { return is_numeral(c) || c == '$'; });
    if (end < first + 2) end = end_of_run(response, first, is_digit);
    if (end == first) {
      ++at;
      continue;
    }
    last = std::string(response.substr(at, end - at));
    at = end;
  }
  return last;
}

bool gsm8k_same(std::string_view given, std::string_view reference) {
  return exact_form(given) == exact_form(reference);
}

}  // namespace lowbit::answers
