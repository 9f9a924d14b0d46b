// Names of metrics with * for any text.
#pragma once

#include <string_view>

namespace lowbit::report {

/// Each * of `pattern` stands for any text.
[[nodiscard]] inline bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*') {
    return !name.empty() && name.front() == pattern.front() && matches(pattern.substr(1), name.substr(1));
  }
  return matches(pattern.substr(1), name) || (!name.empty() && matches(pattern, name.substr(1)));
}

}  // namespace lowbit::report
