// Text as pdfLaTeX prints it, with its own fonts and no package. Pure.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::report {

/// Text as LaTeX prints it: its special characters escaped, Greek letters, signs and arrows as mathematics, what stands
/// between two backticks as code.
[[nodiscard]] std::string latex_text(const std::string& text);

/// A comment that names the characters of `latex` that pdfLaTeX does not know, with a newline; empty without any.
[[nodiscard]] std::string latex_engine_comment(std::string_view latex);

}  // namespace lowbit::report
