// Amounts as messages about jobs write them.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace lowbit::exec {

/// "12.3 s"
inline std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f s", seconds);
  return text.data();
}

/// "0.25 GiB"
inline std::string gibibytes_text(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f GiB", static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0));
  return text.data();
}

}  // namespace lowbit::exec
