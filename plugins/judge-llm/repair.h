// What is done to an answer that the strict rule (answer.h) does not take. Each stage changes only what can be changed
// in one way, and is named in the verdict. In this order:
//
//   wrapping         a byte order mark, or reasoning that ends in `</think>` without having begun so, stands before it
//   one_of_several   of several objects one has a `status`, or all that have one are equal
//   trailing_commas  a comma stands before a closing bracket
//   closed           the answer was cut at the token limit behind a whole value: its brackets are closed
//   names            a status, type or category is spelled in another way, or named by a synonym
//   category         the category is not that of the type: the type counts
//
// Here it ends, because what follows would be a guess: of two different verdicts, of a key that stands twice, of text
// without an object, of a value cut in the middle, of a status that contradicts the rest, of a number written as text
// or out of its range.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::judge_llm {

using Repairs = std::vector<std::string>;

/// The object in a text, read with the first four stages as far as each is needed; `used` gets their names. Throws
/// Invalid. `truncated`: it was cut at the token limit.
[[nodiscard]] nlohmann::json repaired_object(std::string_view text, bool truncated, Repairs& used);

/// The last two stages on an object. `takes_category`: the rubric's schema has this member.
void repair_names(nlohmann::json& answer, std::string_view taxonomy, bool takes_category, Repairs& used);

}  // namespace lowbit::judge_llm
