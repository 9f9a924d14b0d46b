// Bytes and seconds as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace lowbit::cli {

/// `512 B`, `3.4 MiB`, `1.2 GiB`.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// `0.4 s`, `4 min 10 s`, `3 h 5 min`.
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace lowbit::cli
