// A chat completion, or that of a plain prompt: the request, and what a reply to it says.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "openai/form.h"

namespace lowbit::openai {

struct Message {
  std::string role, content;
};

struct ChatOptions {
  std::string model;
  std::optional<double> temperature, top_p;  ///< nothing: not sent
  std::int64_t max_tokens = 0;
  bool max_completion_tokens = false;  ///< the limit is sent under this name instead of `max_tokens`
  bool system_role = true;             ///< false: system messages stand before the next message instead, in its role
  std::optional<std::int64_t> seed;
  std::vector<std::string> stop;
};

/// Body of a request with one answer, its keys in a fixed order: the same question is the same bytes. `schema` may be
/// null for a text.
[[nodiscard]] std::string chat_request(const ChatOptions& options, std::vector<Message> messages,
                                       Form form = Form::text, const AnswerSchema* schema = nullptr);
/// Likewise of POST {base}/completions: a prompt that is continued as it stands.
[[nodiscard]] std::string completion_request(const ChatOptions& options, const std::string& prompt);

/// `api-calls/1` calls them so.
enum class Outcome { ok, truncated, refused, invalid };
[[nodiscard]] const char* name_of(Outcome outcome);

struct Completion {
  Outcome outcome = Outcome::invalid;
  bool has_choice = false;  ///< the reply is a completion, be its text empty; false: no answer of a model at all
  std::string text;  ///< what the model wrote, or the arguments of the tool it called; empty unless ok or truncated
  std::string why;   ///< why it is not ok
  std::optional<std::string> model, fingerprint;
  std::optional<std::int64_t> prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens;
};

/// `status` and `body` of a reply that is an answer. Total: a body that is no completion is invalid. truncated: cut at
/// the token limit, or the question does not fit the model. refused: the model declined, or a filter did. What a model
/// says of its reasoning beside the text is not read.
[[nodiscard]] Completion read_completion(unsigned status, const std::string& body);

}  // namespace lowbit::openai
