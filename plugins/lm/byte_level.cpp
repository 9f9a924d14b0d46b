#include "lm/byte_level.h"

#include <array>
#include <optional>

#include "lm/utf8.h"

namespace lowbit::lm {
namespace {

constexpr unsigned kBytes = 256;
constexpr unsigned kCharacters = kBytes + 68;

struct Alphabet {
  std::array<unsigned, kBytes> character{};                      // code point of a byte
  std::array<std::optional<unsigned char>, kCharacters> byte{};  // and back
};

Alphabet make_alphabet() {
  Alphabet alphabet;
  unsigned next = kBytes;
  for (unsigned byte = 0; byte < kBytes; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const unsigned character = printable ? byte : next++;
    alphabet.character[byte] = character;
    alphabet.byte[character] = static_cast<unsigned char>(byte);
  }
  return alphabet;
}

const Alphabet& alphabet() {
  static const Alphabet made = make_alphabet();
  return made;
}

/// All of them are below U+0800.
void append(std::string& text, unsigned character) {
  if (character < 0x80) {
    text += static_cast<char>(character);
    return;
  }
  text += static_cast<char>(0xC0U | character >> 6U);
  text += static_cast<char>(0x80U | (character & 0x3FU));
}

}  // namespace

std::string to_byte_characters(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) append(text, alphabet().character[static_cast<unsigned char>(byte)]);
  return text;
}

std::string from_byte_characters(std::string_view token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const size_t length = utf8_length(token, at).value_or(0);
    const auto part = [&](size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(token[at + i])); };
    unsigned character = kCharacters;
    if (length == 1) character = part(0);
    if (length == 2) character = (part(0) & 0x1FU) << 6U | (part(1) & 0x3FU);
    if (character >= kCharacters || !alphabet().byte[character]) return std::string(token);
    bytes += static_cast<char>(*alphabet().byte[character]);
    at += length;
  }
  return bytes;
}

}  // namespace lowbit::lm
