// Sizes and durations as people write them, always with a unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lowbit::spec {

/// `24GiB`, `512MiB`, `2GB`: a whole number and B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of
/// 1024). Nothing for anything else, for 0, and beyond 2^63 bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// `2h`, `30m`, `90s`, `1h30m`: hours, minutes, seconds in this order, each at most once. Nothing for anything else,
/// for 0, and beyond ten years.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace lowbit::spec
