// Fields of CSV, as RFC 4180 quotes them.
#pragma once

#include <string>
#include <string_view>

namespace lowbit {

/// Quoted where it has to be, and where it is empty: a field without quotes is null.
[[nodiscard]] inline std::string csv_field(std::string_view text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace lowbit
