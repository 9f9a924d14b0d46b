// Text <-> token ids, as a Hugging Face tokenizer.json describes it.
//
//   const auto tokenizer = lm::Tokenizer::open("models/llama/tokenizer.json");
//   std::vector<int64_t> ids = tokenizer.encode("Once upon a time");   // with <s> in front, if the file says so
//   std::string text = tokenizer.decode(ids);                          // special tokens left out
//
// Supported: byte-level BPE (GPT-2, OPT, Llama 3, Qwen2, Mistral Nemo), BPE as SentencePiece means it (Llama 2,
// Mistral: byte fallback, Metaspace or Prepend/Replace) and word-level vocabularies; NFC and NFD; everything else in
// the file is refused by name. `truncation` and `padding` are not applied: they are settings of a call, and so they are
// in transformers.
//
// Bytes that are not UTF-8 become U+FFFD before anything else, one for each maximal subpart of a character (Unicode
// Standard, section 3.9; a surrogate is three). It is what bytes.decode(errors="replace") hands to Hugging Face's
// tokenizers, so ids agree; no byte is lost silently and any file can be encoded.
//
// Thread rule: const members may be called from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::lm {

class Tokenizer {
 public:
  /// Throws Error{bad_input}.
  [[nodiscard]] static Tokenizer open(const std::filesystem::path& file);

  enum class Special { add, skip };  ///< what the post-processor's template puts around a text: <s>, </s>
  /// Time grows as n log n with the text, and with the longest word in it. Throws Error{bad_input}: a word-level
  /// vocabulary without unk has no such word.
  [[nodiscard]] std::vector<int64_t> encode(std::string_view text, Special special = Special::add) const;

  enum class Show { text, special_too };
  /// Ids without a token are left out: models are often padded beyond their vocabulary.
  [[nodiscard]] std::string decode(const std::vector<int64_t>& ids, Show show = Show::text) const;

  [[nodiscard]] std::optional<int64_t> id(std::string_view token) const;
  [[nodiscard]] std::optional<std::string> token(int64_t id) const;
  /// Largest id plus one: what a model's embedding must hold.
  [[nodiscard]] int64_t size() const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace lowbit::lm
