// The two token models: byte-pair encoding as SentencePiece means it, and whole words. Internal to the tokenizer.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lowbit::lm {

using Vocabulary = std::unordered_map<std::string, int64_t>;

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  TokenModel(const TokenModel&) = delete;
  TokenModel& operator=(const TokenModel&) = delete;
  /// Appends the ids of one pre-token. REQUIRES: piece is UTF-8.
  virtual void encode(std::string_view piece, std::vector<int64_t>& ids) const = 0;
  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  explicit TokenModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

 private:
  Vocabulary vocabulary_;
};

/// `json`: the "model" object of tokenizer.json. Throws Error{bad_input}; types and options other than those of the
/// two models are refused by name.
[[nodiscard]] std::unique_ptr<const TokenModel> read_token_model(const nlohmann::json& json, const std::string& where);

}  // namespace lowbit::lm
