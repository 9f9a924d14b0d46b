// Texts as UTF-8: whether they are, how wide they stand, and made safe for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lowbit {

/// Length of the well-formed sequence at the front of `text` (Unicode 15, table 3-7), 0 when there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

/// Whether a byte is one of a character's that is not its first.
[[nodiscard]] constexpr bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Characters, not bytes.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// The longest start of `text` of at most `bytes` bytes that ends between two characters.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes);
/// The first `n` characters.
[[nodiscard]] std::string_view first_characters(std::string_view text, std::size_t n);

/// One line, safe for a terminal: control characters stand as \n, \t, \x1b, those of direction as
/// \u202e.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace lowbit
