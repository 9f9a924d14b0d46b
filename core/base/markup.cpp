#include "base/markup.h"

#include <algorithm>
#include <cstddef>

#include "base/utf8.h"

namespace lowbit {

std::string escaped_xml(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    const auto c = static_cast<unsigned char>(text[i]);
    const bool control = c < 0x20U && c != '\t' && c != '\n';
    const std::string_view character = text.substr(i, std::max<std::size_t>(length, 1));
    const bool no_character = character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";  // U+FFFE, U+FFFF
    if (length == 0 || control || no_character) {
      out += "\xEF\xBF\xBD";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out.append(character);
    }
    i += character.size();
  }
  return out;
}

}  // namespace lowbit
