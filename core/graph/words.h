// Words of messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lowbit::graph {

[[nodiscard]] inline std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ") {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += separator;
    out += word;
  }
  return out;
}

/// In the ticks that messages put around names from a file.
[[nodiscard]] inline std::string ticked(std::string_view name) { return std::string("`").append(name).append("`"); }

}  // namespace lowbit::graph
