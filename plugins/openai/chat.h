// A chat completion: the request, and what a reply to it says.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace lowbit::openai {

struct ChatOptions {
  std::string model;
  std::optional<double> temperature;  ///< nothing: not sent
  std::int64_t max_tokens = 0;
};

/// Body of a request with one answer, its keys in a fixed order: the same question is the same bytes.
[[nodiscard]] std::string chat_request(const ChatOptions& options, const std::optional<std::string>& system,
                                       const std::string& prompt);

/// `api-calls/1` calls them so.
enum class Outcome { ok, truncated, refused, invalid };
[[nodiscard]] const char* name_of(Outcome outcome);

struct Completion {
  Outcome outcome = Outcome::invalid;
  std::string text;  ///< what the model wrote; empty unless ok or truncated
  std::string why;   ///< why it is not ok
  std::optional<std::string> model, fingerprint;
  std::optional<std::int64_t> prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens;
};

/// `status` and `body` of a reply that is an answer. Total: a body that is no completion is invalid. truncated: cut at
/// the token limit, or the question does not fit the model. refused: the model declined, or a filter did.
[[nodiscard]] Completion read_completion(unsigned status, const std::string& body);

}  // namespace lowbit::openai
