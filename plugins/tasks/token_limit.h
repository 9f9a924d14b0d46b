// Rows that are too long to be learned from whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "lm/tokenizer.h"

namespace lowbit::tasks {

class TokenLimit {
 public:
  /// `max_tokens` 0: no limit, and `model` is not read. Throws StageError{LB_BAD_INPUT} for a limit without a model.
  TokenLimit(std::int64_t max_tokens, const std::optional<std::filesystem::path>& model);

  /// Whether prompt and completion, with the tokens that the tokenizer puts around a text, are more than the limit.
  [[nodiscard]] bool is_exceeded_by(const std::string& prompt, const std::string& completion) const;

 private:
  std::size_t max_tokens_;
  std::optional<lm::Tokenizer> tokenizer_;
};

}  // namespace lowbit::tasks
