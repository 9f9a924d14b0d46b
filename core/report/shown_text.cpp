#include "report/shown_text.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "base/utf8.h"

namespace lowbit::report {
namespace {

std::uint32_t code_point(std::string_view character) {
  constexpr std::array<std::uint32_t, 5> kFirst{0, 0x7F, 0x1F, 0x0F,
                                                0x07};  // payload bits of the first byte, by length
  std::uint32_t code = static_cast<unsigned char>(character[0]) & kFirst.at(character.size());
  for (const char c : character.substr(1)) code = code << 6U | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

/// Turns the direction of writing, breaks a line, or stands there unseen (Unicode 15, Bidi_Control, Zl, Zp and the
/// format characters of general punctuation).
bool is_unseen(std::uint32_t code) {
  return code == 0x061C || (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || (code >= 0xE0000 && code <= 0xE007F);
}

std::string escaped(const char* format, unsigned value) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

/// The well-formed character at the front, or one byte of what is none.
std::size_t step(std::string_view text) {
  const std::size_t length = utf8_length(text);
  return length == 0 ? 1 : length;
}

}  // namespace

std::string shown_text(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t n = 0;
  while (!text.empty() && (limit == 0 || n < limit)) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, step(text));
    if (length == 0) {
      out += escaped("\\x%02x", static_cast<unsigned char>(text.front()));
    } else if (const std::uint32_t code = code_point(character); is_unseen(code)) {
      out += escaped("\\u%04x", code);
    } else {
      out += printable(character);
    }
    text.remove_prefix(character.size());
    ++n;
  }
  std::size_t rest = 0;
  for (; !text.empty(); ++rest) text.remove_prefix(step(text));
  if (rest > 0) out += "… (+" + std::to_string(rest) + (rest == 1 ? " character)" : " characters)");
  return out;
}

}  // namespace lowbit::report
