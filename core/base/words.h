// Words of messages.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit {

template <class Text>
[[nodiscard]] std::string joined(const std::vector<Text>& words, std::string_view separator = ", ") {
  std::string out;
  for (const Text& word : words) out.append(out.empty() ? std::string_view() : separator).append(word);
  return out;
}

/// "a, b, c and 7 more": at most `limit` of them by name.
[[nodiscard]] inline std::string listed(const std::vector<std::string>& words, std::size_t limit) {
  const std::size_t n = std::min(limit, words.size());
  const std::string out = joined(std::vector<std::string_view>(words.begin(), words.begin() + static_cast<long>(n)));
  return n < words.size() ? out + " and " + std::to_string(words.size() - n) + " more" : out;
}

/// In the ticks that messages put around names from a file.
[[nodiscard]] inline std::string ticked(std::string_view name) { return std::string("`").append(name).append("`"); }

}  // namespace lowbit
