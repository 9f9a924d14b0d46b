#include "lm/utf8.h"

#include <algorithm>
#include <array>

namespace lowbit::lm {

std::optional<size_t> utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto continues = [&](size_t i) { return at + i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? std::optional<size_t>(2) : std::nullopt;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return std::nullopt;
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return std::nullopt;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return std::nullopt;
    if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return std::nullopt;
    return 4;
  }
  return std::nullopt;
}

size_t utf8_previous(std::string_view text, size_t at) {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
  return at;
}

bool is_white_space(std::string_view character) {
  static constexpr std::array<std::string_view, 25> kAll{
      "\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u0085", "\u00a0", "\u1680",
      "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
      "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};
  return std::find(kAll.begin(), kAll.end(), character) != kAll.end();
}

std::optional<size_t> utf8_error(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto length = utf8_length(text, at);
    if (!length) return at;
    at += *length;
  }
  return std::nullopt;
}

namespace {

/// Bytes of the longest start of a character at `text[at]`, at least 1. REQUIRES: no whole one starts there.
size_t broken_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  const auto within = [&](size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
  const unsigned lead = byte(0);
  if (lead >= 0xE0 && lead <= 0xEF) {
    return within(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) ? 2 : 1;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!within(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF)) return 1;
    return within(2, 0x80, 0xBF) ? 3 : 2;
  }
  return 1;
}

}  // namespace

std::string utf8_replaced(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const auto length = utf8_length(text, at);
    if (length) {
      result += text.substr(at, *length);
    } else {
      result += kReplacementCharacter;
    }
    at += length ? *length : broken_length(text, at);
  }
  return result;
}

}  // namespace lowbit::lm
