// Text within SQL.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::cli {

/// A literal of SQL that stands for `text`.
[[nodiscard]] inline std::string sql_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

}  // namespace lowbit::cli
