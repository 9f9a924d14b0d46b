// LaTeX as a line of plain text, the way pylatexenc's latex2text writes it for PRM800K's grader.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::answers {

/// \frac{a}{b} as a/b (no parentheses), \sqrt{x} as sqrt(x), known signs as what is typed for them, matrices as
/// [a b; c d] whatever their brackets, other commands dropped.
[[nodiscard]] std::string latex_to_text(std::string_view latex);

}  // namespace lowbit::answers
