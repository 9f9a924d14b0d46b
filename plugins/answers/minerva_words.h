// The words and signs that Minerva's normal form drops (Lewkowycz et al. 2022, appendix D).
#pragma once

#include <string>
#include <string_view>

namespace lowbit::answers {

/// With its substitutions made and its words dropped, in the order that the paper gives them.
[[nodiscard]] std::string without_minerva_words(std::string_view text);

}  // namespace lowbit::answers
