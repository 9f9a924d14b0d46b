// JSON objects in the text of a judge. An object begins at a brace followed by a quotation mark, white space between
// them allowed, so braces in formulas are text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lowbit::judge_llm {

/// Why an answer is invalid; thrown while one is read, and caught there.
struct Invalid {
  std::string why;
};

inline constexpr std::string_view kBlank = " \t\r\n";

/// Behind a block `<think>...</think>` at the beginning; empty when the block does not end.
[[nodiscard]] std::string_view without_reasoning(std::string_view text);
/// Where the next object begins at or after `from`; npos: nowhere.
[[nodiscard]] std::size_t next_object(std::string_view text, std::size_t from);
/// One behind the brace that closes the one at `begin`; npos when none does.
[[nodiscard]] std::size_t end_of_object(std::string_view text, std::size_t begin);
/// Well-formed, and no key twice in one object. Throws Invalid.
[[nodiscard]] nlohmann::json parsed_object(std::string_view text);

}  // namespace lowbit::judge_llm
