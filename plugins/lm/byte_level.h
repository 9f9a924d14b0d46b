// Byte-level BPE's alphabet: every byte written as one printable character, so that any text is made of known symbols
// (Radford et al. 2019, GPT-2). Internal to the tokenizer.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::lm {

/// Each byte as its character: "a b" -> "aĠb". Bytes 33-126, 161-172 and 174-255 are the characters of that number, the
/// 68 others those from U+0100 on, in order.
[[nodiscard]] std::string to_byte_characters(std::string_view bytes);

/// The bytes that a token stands for; a token with a character outside the alphabet (an added one) stands for itself.
[[nodiscard]] std::string from_byte_characters(std::string_view token);

}  // namespace lowbit::lm
