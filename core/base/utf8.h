// Texts as UTF-8: whether they are, how wide they stand, and made safe for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lowbit {

/// Length of the well-formed sequence at the front of `text` (Unicode 15, table 3-7), 0 when there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

/// Characters, not bytes.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// One line, safe for a terminal: control characters stand as \n, \t, \x1b.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace lowbit
