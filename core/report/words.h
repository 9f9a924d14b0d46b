// Words of messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lowbit::report {

[[nodiscard]] inline std::string ticked(std::string_view name) { return std::string("`").append(name).append("`"); }

/// "a, b, c", at most `limit` of them.
[[nodiscard]] inline std::string joined(const std::vector<std::string>& words, std::size_t limit = 1000) {
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < limit; ++i) out += (i == 0 ? "" : ", ") + words[i];
  return words.size() > limit ? out + " and " + std::to_string(words.size() - limit) + " more" : out;
}

}  // namespace lowbit::report
