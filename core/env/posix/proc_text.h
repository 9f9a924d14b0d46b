// What the kernel writes about memory below /proc.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lowbit::env {

/// The sum of the lines of these names, such as "RssAnon:     512 kB", in bytes.
[[nodiscard]] std::uint64_t sum_of_kilobytes(std::string_view text, const std::vector<std::string_view>& names);

}  // namespace lowbit::env
