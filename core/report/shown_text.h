// Text that a model wrote, made fit for a terminal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lowbit::report {

/// One line of at most `limit` characters of `text` (0: all of it), then how many were cut: "… (+1204 characters)".
/// Control characters stand as \n, \x1b, those that turn the direction of writing or cannot be seen as \u202e, and
/// bytes that are not UTF-8 as \xff. `limit` counts characters of `text`, not of what stands for them.
[[nodiscard]] std::string shown_text(std::string_view text, std::size_t limit);

}  // namespace lowbit::report
