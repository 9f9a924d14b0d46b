// The little of Unicode that tokenizing needs here; everything with properties (letters, digits) goes through Pattern.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lowbit::lm {

/// Bytes of the character that starts at `text[at]`; nothing when no well-formed UTF-8 character does (overlong forms
/// and surrogates are not). REQUIRES: at < text.size().
[[nodiscard]] std::optional<size_t> utf8_length(std::string_view text, size_t at);

/// Where the character before `text[at]` starts. REQUIRES: 0 < at <= text.size(), text is UTF-8.
[[nodiscard]] size_t utf8_previous(std::string_view text, size_t at);

/// Whether the character has Unicode's property White_Space. REQUIRES: it is one character.
[[nodiscard]] bool is_white_space(std::string_view character);

/// Position of the first byte that is not part of well-formed UTF-8; nothing when all is well.
[[nodiscard]] std::optional<size_t> utf8_error(std::string_view text);

/// `text` with U+FFFD for what is not well formed: one for each longest start of a character that does not go on (the
/// Unicode Standard's maximal subparts, as Rust and WHATWG decode), one for each other byte.
[[nodiscard]] std::string utf8_replaced(std::string_view text);

/// U+FFFD, what an undecodable byte is shown as.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

}  // namespace lowbit::lm
