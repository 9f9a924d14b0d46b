// From LaTeX, or mathematics as it is typed, to a tree.
#pragma once

#include <optional>
#include <string_view>

#include "answers/expression.h"

namespace lowbit::answers {

/// Nothing when some of the text is not understood or it passes the limits of limits.h. Several answers (`1, 2`, `±3`,
/// `a = 1; a = 2`) are a set. Implicit products bind more closely than / and \cdot: 1/2x is 1/(2x).
[[nodiscard]] std::optional<Node> read_latex(std::string_view text);

/// The last part of an equation of three parts or more, else the text itself: what is left to read of
/// `Area = ... = 5` where the whole cannot be read.
[[nodiscard]] std::string_view last_side(std::string_view text);

/// A number typed without LaTeX: 1,000.5, 1 000, 0,5 and 1000,99 (a comma that groups nothing is a point), .5
[[nodiscard]] std::optional<Node> read_typed_number(std::string_view text);

/// Whether it is built of letters alone: what an answer may be named by, x, f(x), AB or S:T.
[[nodiscard]] bool is_name(const Expression& node);

}  // namespace lowbit::answers
