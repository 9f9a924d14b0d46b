#include "base/utf8.h"

#include <algorithm>

namespace lowbit {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

/// Whether it begins with U+202A to U+202E or U+2066 to U+2069, after which a terminal shows text in another order.
bool is_direction(std::string_view text) {
  if (text.size() < 3 || byte_at(text, 0) != 0xE2) return false;
  const unsigned last = byte_at(text, 2);
  return (byte_at(text, 1) == 0x80 && last >= 0xAA && last <= 0xAE) ||
         (byte_at(text, 1) == 0x81 && last >= 0xA6 && last <= 0xA9);
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  struct Form {
    unsigned first_low, first_high, second_low, second_high;
    std::size_t length;
  };
  static constexpr Form kForms[] = {
      {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
      {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
      {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  if (text.empty()) return 0;
  const unsigned first = byte_at(text, 0);
  for (const Form& form : kForms) {
    if (first < form.first_low || first > form.first_high) continue;
    if (text.size() < form.length) return 0;
    for (std::size_t i = 1; i < form.length; ++i) {
      const unsigned low = i == 1 ? form.second_low : 0x80;
      const unsigned high = i == 1 ? form.second_high : 0xBF;
      if (byte_at(text, i) < low || byte_at(text, i) > high) return 0;
    }
    return form.length;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && continues_character(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

std::string_view first_characters(std::string_view text, std::size_t n) {
  std::size_t at = 0;
  for (; at < text.size() && n > 0; --n) {
    do ++at;
    while (at < text.size() && continues_character(text[at]));
  }
  return text.substr(0, at);
}

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = byte_at(text, i);
    // U+0080 to U+009F are control characters too, in two bytes.
    const bool second_set =
        byte == 0xC2 && i + 1 < text.size() && byte_at(text, i + 1) >= 0x80 && byte_at(text, i + 1) < 0xA0;
    if (is_direction(text.substr(i))) {
      out += {'\\', 'u', '2', '0', byte_at(text, i + 1) == 0x80 ? '2' : '6', kHex[byte_at(text, i + 2) & 0xFU]};
      i += 2;
    } else if (text[i] == '\n') {
      out += "\\n";
    } else if (text[i] == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F || second_set) {
      if (second_set) byte = byte_at(text, ++i);
      out += {'\\', 'x', kHex[byte >> 4U], kHex[byte & 0xFU]};
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace lowbit
