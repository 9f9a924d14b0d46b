// A case of a review queue for a person at a terminal: what was asked, what is right, and what the model wrote. Nothing
// of it says what judges think, or why the case is in the queue. Pure.
#pragma once

#include <string>

#include "domain/review.h"

namespace lowbit::report {

/// Ends in a newline. Control characters of texts are shown, not sent.
[[nodiscard]] std::string review_page(const ReviewCase& one);

/// "  1  conceptual misunderstanding: ..." line by line.
[[nodiscard]] std::string types_page(const std::vector<NamedType>& types);

}  // namespace lowbit::report
