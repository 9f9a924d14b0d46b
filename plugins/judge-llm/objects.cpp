#include "objects.h"

#include <algorithm>

#include "lm/json_file.h"

namespace lowbit::judge_llm {

std::string_view without_reasoning(std::string_view text) {
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kClose = "</think>";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (!text.starts_with(kOpen)) return text;
  const auto close = text.find(kClose);
  return close == text.npos ? std::string_view() : text.substr(close + kClose.size());
}

std::size_t next_object(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('{', from); at != text.npos; at = text.find('{', at + 1)) {
    const auto next = text.find_first_not_of(kBlank, at + 1);
    if (next != text.npos && text[next] == '"') return at;
  }
  return text.npos;
}

std::size_t end_of_object(std::string_view text, std::size_t begin) {
  bool quoted = false;
  std::size_t depth = 0;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return at + 1;
    }
  }
  return text.npos;
}

nlohmann::json parsed_object(std::string_view text) {
  try {
    return lm::parse_json(text);
  } catch (const std::exception& e) {
    throw Invalid{std::string("its JSON object is malformed: ") + e.what()};
  }
}

}  // namespace lowbit::judge_llm
