// Quantities as a person reads them. Programs get seconds and bytes. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace lowbit {

/// "0.4 s", "42 s", "3 min 20 s", "1 h 12 min", "3 d 4 h". Negative counts as 0.
[[nodiscard]] std::string duration_text(double seconds);
/// "512 B", "12.3 KiB", "1.2 GiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// "1 stage", "2 stages".
[[nodiscard]] std::string count_text(std::uint64_t n, const std::string& one);

}  // namespace lowbit
