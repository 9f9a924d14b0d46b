// The characters that reading numbers and solutions turns on, whatever the locale.
#pragma once

#include <string_view>

namespace lowbit::answers {

inline constexpr std::string_view kBlank = " \t\r\n\f\v";

[[nodiscard]] inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Without what `dropped` holds at either end.
[[nodiscard]] inline std::string_view trimmed(std::string_view text, std::string_view dropped = kBlank) {
  const size_t begin = text.find_first_not_of(dropped);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(dropped) - begin + 1);
}

}  // namespace lowbit::answers
