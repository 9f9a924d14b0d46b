// An answer as people and models write it, brought to the LaTeX that the reader knows.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::answers {

/// Without what only serves the eye (\left, \displaystyle, \!, dollar signs, a full stop at the end), with commas for
/// the words that join answers, \% for the words for it, and LaTeX for common Unicode signs.
[[nodiscard]] std::string tidied(std::string_view latex);

/// Without the units at its end: \text{...} behind something, and words for units behind a number: 15\text{ cm}^2, 35
/// cm.
[[nodiscard]] std::string without_units(std::string_view latex);

}  // namespace lowbit::answers
