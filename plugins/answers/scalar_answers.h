// Comparison of single expressions without rounding: what the graders leave to a computer algebra system.
#pragma once

#include <string_view>

namespace lowbit::answers {

/// Both read as one expression each (no list, set, interval, relation or matrix) and have the same value.
[[nodiscard]] bool same_expression(std::string_view a, std::string_view b);

}  // namespace lowbit::answers
