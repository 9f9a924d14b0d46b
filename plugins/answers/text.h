// Small changes to texts that several graders share.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::answers {

[[nodiscard]] inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

[[nodiscard]] inline bool starts_with_at(std::string_view text, std::size_t at, std::string_view word) {
  return text.compare(at, word.size(), word) == 0;
}

/// Every occurrence, from left to right; what is put in is not searched again. REQUIRES: `from` is not empty.
[[nodiscard]] std::string replaced(std::string_view text, std::string_view from, std::string_view to);
[[nodiscard]] std::string erased(std::string_view text, std::string_view dropped);
/// ASCII letters only.
[[nodiscard]] std::string lowered(std::string_view text);
[[nodiscard]] std::string without_blanks(std::string_view text);
/// Where the group that opens at `open` closes: the position of its `}`; npos when it does not. REQUIRES: text[open] is
/// {.
[[nodiscard]] std::size_t closing_brace(std::string_view text, std::size_t open);

}  // namespace lowbit::answers
