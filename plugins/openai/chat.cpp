#include "openai/chat.h"

#include "openai/retry.h"

namespace lowbit::openai {
namespace {

using Json = nlohmann::json;

/// The value under keys that are followed one by one; null where the path ends early.
template <class... Keys>
Json at(const Json& json, const Keys&... keys) {
  const Json* here = &json;
  const auto step = [&here](const char* key) {
    static const Json nothing;
    here = here->is_object() && here->contains(key) ? &(*here)[key] : &nothing;
  };
  (step(keys), ...);
  return *here;
}

std::optional<std::string> text_or_nothing(const Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return std::nullopt;
  return value.get<std::string>();
}

std::optional<std::int64_t> count_or_nothing(const Json& value) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0) return std::nullopt;
  return value.get<std::int64_t>();
}

void read_choice(const Json& body, Completion& out) {
  const Json choices = at(body, "choices");
  if (!choices.is_array() || choices.empty()) {
    out.why = "the reply has no choices";
    return;
  }
  const Json& choice = choices.front();
  const Json reason = at(choice, "finish_reason");
  const auto refusal = text_or_nothing(at(choice, "message", "refusal"));
  if (refusal || reason == "content_filter") {
    out.outcome = Outcome::refused;
    out.why = refusal.value_or("a filter declined");
    return;
  }
  const auto text = text_or_nothing(at(choice, "message", "content"));
  out.text = text.value_or("");
  if (reason == "length") {
    out.outcome = Outcome::truncated;
    out.why = "cut at the token limit";
  } else if (text) {
    out.outcome = Outcome::ok;
  } else {
    out.why = "the message has no text";
  }
}

}  // namespace

std::string chat_request(const ChatOptions& options, const std::optional<std::string>& system,
                         const std::string& prompt) {
  Json messages = Json::array();
  if (system) messages.push_back({{"role", "system"}, {"content", *system}});
  messages.push_back({{"role", "user"}, {"content", prompt}});
  Json body{{"model", options.model}, {"max_tokens", options.max_tokens}, {"n", 1}, {"stream", false}};
  body["messages"] = std::move(messages);
  if (options.temperature) body["temperature"] = *options.temperature;
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok: return "ok";
    case Outcome::truncated: return "truncated";
    case Outcome::refused: return "refused";
    case Outcome::invalid: break;
  }
  return "invalid";
}

Completion read_completion(unsigned status, const std::string& body) {
  Completion out;
  if (status != 200) {
    const Reply reply{.status = status, .body = body, .retry_after = {}, .failure = {}};
    out.outcome = error_code_of(reply) == "context_length_exceeded" ? Outcome::truncated : Outcome::refused;
    out.why = describe(reply);
    return out;
  }
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) {
    out.why = "the reply is no JSON object";
    return out;
  }
  out.model = text_or_nothing(at(json, "model"));
  out.fingerprint = text_or_nothing(at(json, "system_fingerprint"));
  out.prompt_tokens = count_or_nothing(at(json, "usage", "prompt_tokens"));
  out.completion_tokens = count_or_nothing(at(json, "usage", "completion_tokens"));
  out.reasoning_tokens = count_or_nothing(at(json, "usage", "completion_tokens_details", "reasoning_tokens"));
  out.cached_tokens = count_or_nothing(at(json, "usage", "prompt_tokens_details", "cached_tokens"));
  read_choice(json, out);
  return out;
}

}  // namespace lowbit::openai
