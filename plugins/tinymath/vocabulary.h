// The closed vocabulary of the small model and its tokenizer.json. Digits are single tokens; a word or sign carries the
// spaces around it that no neighbour has taken, so that decoding gives the text back to the byte.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

namespace lowbit::tinymath {

/// Every token; its place is its id. Models are trained on these ids: nothing is ever moved, additions go to the end.
[[nodiscard]] std::span<const std::string_view> vocabulary();
/// The first of them are special: <pad> <bos> <eos> and the four tags of the answer format.
inline constexpr std::size_t kSpecialTokens = 7;

/// As transformers reads it: WordLevel on pieces of an expression, <bos> in front. A word that is not in the vocabulary
/// is an error. Words end in a space and everything else stands alone, so any sequence of ids, sensible or not, decodes
/// to a text that encodes to the same ids: what a model wrote can be scored again from its text.
[[nodiscard]] nlohmann::json tokenizer_json();

}  // namespace lowbit::tinymath
