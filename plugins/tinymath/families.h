// The twelve kinds of problems. Each family is a template whose numbers, names and turns are drawn; all take two to
// four steps. What the numbers may be is written beside each family.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "tinymath/draw.h"
#include "tinymath/problem.h"

namespace lowbit::tinymath {

inline constexpr std::array<std::string_view, 12> kFamilies{
    "boxes",    "money", "share", "compare", "journey", "week", "shelves", "riddle", "wages",
    "linear",    // 3 x + 4 = 52
    "factored",  // 3 ( x + 4 ) = 60
    "two_sided"  // 5 x + 4 = 2 x + 52
};

/// A problem of kFamilies[family]; nothing when the numbers drawn do not go well together (draft.h).
[[nodiscard]] std::optional<Problem> draft_problem(std::size_t family, Draw& draw);

}  // namespace lowbit::tinymath
