// Ids of problems of which nothing is known but their text.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::tasks {

/// `text-` and 16 hexadecimal digits; the same for texts that differ in case and white space only (overlap/words.h).
[[nodiscard]] std::string problem_id_of(std::string_view problem);

}  // namespace lowbit::tasks
