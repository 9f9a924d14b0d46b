#include "answers/text.h"

#include "answers/characters.h"

namespace lowbit::answers {

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (;;) {
    const std::size_t at = text.find(from);
    result.append(text.substr(0, at));
    if (at == std::string_view::npos) return result;
    result.append(to);
    text.remove_prefix(at + from.size());
  }
}

std::string erased(std::string_view text, std::string_view dropped) { return replaced(text, dropped, ""); }

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string without_blanks(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (kBlank.find(c) == std::string_view::npos) result += c;
  }
  return result;
}

std::size_t closing_brace(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t at = open; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

}  // namespace lowbit::answers
