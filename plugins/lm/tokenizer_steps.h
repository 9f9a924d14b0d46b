// The small steps around a token model, as tokenizer.json lists them: normalizers (text -> text), pre-tokenizers
// (text -> pieces) and decoders (tokens -> text). A step of any other type is refused by name when it is read.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::lm {

using Normalizer = std::function<std::string(std::string text)>;
struct Piece {
  std::string text;
  bool at_start;  ///< it begins where the whole text begins (Metaspace's scheme "first" asks)
};
using PreTokenizer = std::function<std::vector<Piece>(std::vector<Piece> pieces)>;
using Decoder = std::function<std::vector<std::string>(std::vector<std::string> tokens)>;

/// `where` names the file in errors. A JSON null gives the step that changes nothing (for the decoder: tokens joined
/// by blanks). Throws Error{bad_input}.
[[nodiscard]] Normalizer read_normalizer(const nlohmann::json& json, const std::string& where);
[[nodiscard]] PreTokenizer read_pre_tokenizer(const nlohmann::json& json, const std::string& where);
[[nodiscard]] Decoder read_decoder(const nlohmann::json& json, const std::string& where);

/// Throws Error{bad_input}: `feature` ("normalizer NFKC") is legal but not supported.
[[noreturn]] void unsupported_in_tokenizer(const std::string& feature, const std::string& where);
/// Throws Error{bad_input}: the file contradicts itself or its format.
[[noreturn]] void malformed_tokenizer(const std::string& why, const std::string& where);

/// Refuses keys of `json` that are not listed: each could change how text becomes tokens.
void allow_only(const nlohmann::json& json, const std::string& name, std::initializer_list<std::string_view> keys,
                const std::string& where);

}  // namespace lowbit::lm
