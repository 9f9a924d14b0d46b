// Texts as exec and posix_spawn want them.
#pragma once

#include <string>
#include <vector>

namespace lowbit::env {

/// A null-terminated list of pointers into `texts`, which must outlive it unchanged.
[[nodiscard]] inline std::vector<char*> exec_words(std::vector<std::string>& texts) {
  std::vector<char*> words;
  words.reserve(texts.size() + 1);
  for (std::string& text : texts) words.push_back(text.data());
  words.push_back(nullptr);
  return words;
}

}  // namespace lowbit::env
