// Windows of token ids on disk: token-batches/1 (docs/artifacts.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "lm/tokenizer.h"
#include "lm/torch.h"

namespace lowbit::lm {

struct TokenBatches {
  at::Tensor ids;             // int64 [W, L]
  at::Tensor attention_mask;  // bool [W, L], false where a window is padded; undefined: nowhere
  at::Tensor loss_mask;       // bool [W, L], true where a token is scored; undefined: all that have one before them

  int64_t vocab_size = 0;
  std::string tokenizer_sha256;
  std::string variant;  ///< name of text and rule; perplexities are only compared within one
  std::optional<std::string> source_sha256;
  std::string rule;  ///< how the windows were cut, in one sentence
  std::string bos;   ///< where the start token stands: none, first, each, document

  [[nodiscard]] int64_t n_windows() const { return ids.size(0); }
  [[nodiscard]] int64_t length() const { return ids.size(1); }
};

/// Throws Error{bad_input}.
[[nodiscard]] TokenBatches read_token_batches(const std::filesystem::path& directory);
void write_token_batches(const std::filesystem::path& directory, const TokenBatches& batches);

/// The tokenizer of `model_directory`. Throws Error{bad_input}, also when it has ids beyond `vocab_size`.
[[nodiscard]] Tokenizer open_tokenizer(const std::filesystem::path& model_directory, int64_t vocab_size);

/// Refuses windows of another tokenizer than the one in `model_directory`, or with ids beyond `vocab_size`.
/// Throws Error{bad_input}.
void check_made_for(const TokenBatches& batches, const std::filesystem::path& model_directory, int64_t vocab_size);

}  // namespace lowbit::lm
