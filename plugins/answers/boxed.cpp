#include "answers/boxed.h"

#include <algorithm>
#include <array>
#include <vector>

#include "answers/characters.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

constexpr std::string_view kBoxed = "\\boxed";
constexpr std::string_view kFbox = "\\fbox";

/// Where the last of the commands before `end` begins, npos without one.
std::size_t last_command(std::string_view text, std::size_t end) {
  const std::string_view before = text.substr(0, end);
  const std::size_t boxed = before.rfind(kBoxed);
  const std::size_t fbox = before.rfind(kFbox);
  if (boxed == std::string_view::npos || fbox == std::string_view::npos) return std::min(boxed, fbox);
  return std::max(boxed, fbox);
}

bool has_separator(std::string_view text) {
  if (text.find_first_of(",;") != std::string_view::npos) return true;
  for (const std::string_view word : {"and", "or"}) {
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
      const bool before = at == 0 || !is_letter(text[at - 1]);
      if (before && (at + word.size() == text.size() || !is_letter(text[at + word.size()]))) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::string_view> last_box(std::string_view text) {
  for (const std::string_view command : {kBoxed, kFbox}) {
    const std::size_t at = text.rfind(command);
    if (at == std::string_view::npos) continue;
    const std::size_t open = text.find_first_not_of(kBlank, at + command.size());
    if (open == std::string_view::npos || text[open] != '{') return std::nullopt;
    const std::size_t close = closing_brace(text, open);
    if (close == std::string_view::npos) return std::nullopt;
    return trimmed(text.substr(open + 1, close - open - 1));
  }
  return std::nullopt;
}

std::string boxed_answers(std::string_view text, Boxes boxes) {
  std::vector<std::string_view> contents;
  std::size_t next = text.size();  // where the box to the right begins
  for (std::size_t at = last_command(text, next); at != std::string_view::npos && contents.size() < 64;
       at = last_command(text, next)) {
    const std::size_t command_end = at + (starts_with_at(text, at, kBoxed) ? kBoxed : kFbox).size();
    const std::size_t open = text.find_first_not_of(kBlank, command_end);
    if (open >= next) break;
    const std::string_view here = text.substr(0, next);
    const std::size_t close = text[open] == '{' ? closing_brace(here, open) : std::string_view::npos;
    if (close == std::string_view::npos) {
      if (contents.empty()) contents.push_back(trimmed(here.substr(text[open] == '{' ? open + 1 : open)));
      break;
    }
    const std::string_view content = trimmed(here.substr(open + 1, close - open - 1));
    if (boxes == Boxes::near && !contents.empty()) {
      const std::string_view between = here.substr(close + 1);
      const bool belongs =
          between.size() < 10 || (between.size() < 70 && content != contents.back() && has_separator(between));
      if (!belongs) break;
    }
    if (contents.empty() || contents.back() != content) contents.push_back(content);
    next = at;
  }
  if (contents.empty()) return std::string(text);
  std::string joined;
  for (auto it = contents.rbegin(); it != contents.rend(); ++it) {
    if (it != contents.rbegin()) joined += ',';
    joined.append(*it);
  }
  return joined;
}

}  // namespace lowbit::answers
