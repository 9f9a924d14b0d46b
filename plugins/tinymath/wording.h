// The same problems and steps in other words, for judges, which read text: none of this stands in any training set, and
// its words are outside the small model's vocabulary. Numbers are kept, and so is what is asked.
//
//   reworded("tom has 12 apples . ...", draw)    // "Tom starts out with 12 apples. ..."
//   worded_solution(steps, 33, 1)                // "First, 3 times 7 is 21.", ..., "We end at 33, so the answer
//   is 33."
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tinymath/draw.h"
#include "tinymath/injection.h"

namespace lowbit::tinymath {

/// Nothing when a part of the text fits none of the sentences that the families write.
[[nodiscard]] std::optional<std::string> reworded(std::string_view problem_text, Draw& draw);

/// Steps in words and a sentence that concludes. `style` 0 .. kWordings - 1 is one manner, kept through a solution.
inline constexpr int kWordings = 4;
[[nodiscard]] std::vector<std::string> worded_solution(const std::vector<Step>& steps, int concluded, int style);

}  // namespace lowbit::tinymath
