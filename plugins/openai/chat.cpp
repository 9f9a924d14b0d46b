#include "openai/chat.h"

#include <map>

#include "lm/json_file.h"
#include "openai/retry.h"

namespace lowbit::openai {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

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

/// The arguments of the one tool that was called, the content where none was; nothing when there is neither, or several
/// calls. Some servers send the arguments as an object.
std::optional<std::string> text_of(const Json& choice) {
  const Json message = at(choice, "message");
  const Json calls = at(message, "tool_calls");
  if (calls.is_array() && calls.size() > 1) return std::nullopt;
  if (calls.is_array() && calls.size() == 1) {
    const Json arguments = at(calls[0], "function", "arguments");
    return arguments.is_object() ? arguments.dump() : text_or_nothing(arguments);
  }
  const auto continued = text_or_nothing(at(choice, "text"));  // of a plain prompt
  return continued ? continued : text_or_nothing(at(message, "content"));
}

void read_choice(const Json& body, Completion& out) {
  const Json choices = at(body, "choices");
  if (!choices.is_array() || choices.empty()) {
    out.why = "the reply has no choices";
    return;
  }
  const Json& choice = choices.front();
  out.has_choice = at(choice, "message").is_object() || at(choice, "text").is_string();
  const Json reason = at(choice, "finish_reason");
  const auto refusal = text_or_nothing(at(choice, "message", "refusal"));
  if (refusal || reason == "content_filter") {
    out.outcome = Outcome::refused;
    out.why = refusal.value_or("a filter declined");
    return;
  }
  const auto text = text_of(choice);
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

/// Null when it is no JSON, or a key stands twice: whichever value won, the server may have meant the other.
Json parsed(const std::string& body) {
  try {
    return lm::parse_json(body);
  } catch (const lm::JsonProblem&) {
    return nullptr;
  }
}

OrderedJson common(const ChatOptions& options) {
  OrderedJson body{{"model", options.model}, {"n", 1}, {"stream", false}};
  body[options.max_completion_tokens ? "max_completion_tokens" : "max_tokens"] = options.max_tokens;
  if (options.temperature) body["temperature"] = *options.temperature;
  if (options.top_p) body["top_p"] = *options.top_p;
  if (options.seed) body["seed"] = *options.seed;
  if (!options.stop.empty()) body["stop"] = options.stop;
  return body;
}

/// The bytes of a body: its own keys sorted, a schema's as they stand.
std::string in_order(const OrderedJson& body) {
  std::map<std::string, OrderedJson> sorted;
  for (const auto& [key, value] : body.items()) sorted.emplace(key, value);
  OrderedJson out = OrderedJson::object();
  for (auto& [key, value] : sorted) out[key] = std::move(value);
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

/// The mode that only promises JSON: the word has to be in the prompt, or a server may write blanks without end.
void show_schema(std::vector<Message>& messages, const AnswerSchema& schema) {
  for (Message& message : messages) {
    if (message.role != "user") continue;
    message.content += "\n\nAnswer with one JSON object that fits this JSON Schema:\n" + schema.schema.dump();
    return;
  }
}

}  // namespace

std::string chat_request(const ChatOptions& options, std::vector<Message> messages, Form form,
                         const AnswerSchema* schema) {
  if (form == Form::json_object) show_schema(messages, *schema);
  Json rows = Json::array();
  std::string before;
  for (const Message& message : messages) {
    if (message.role == "system" && !options.system_role) {
      before += message.content + "\n\n";
      continue;
    }
    rows.push_back({{"role", message.role}, {"content", before + message.content}});
    before.clear();
  }
  OrderedJson body = common(options);
  body["messages"] = std::move(rows);
  if (form == Form::json_schema) {
    const OrderedJson named{{"name", schema->name}, {"schema", schema->schema}, {"strict", true}};
    body["response_format"] = {{"json_schema", named}, {"type", "json_schema"}};
  } else if (form == Form::tool) {
    const OrderedJson function{
        {"name", schema->name}, {"description", "Gives the answer."}, {"parameters", schema->schema}, {"strict", true}};
    body["tools"] = OrderedJson::array({{{"function", function}, {"type", "function"}}});
    body["tool_choice"] = {{"function", {{"name", schema->name}}}, {"type", "function"}};
  } else if (form == Form::json_object) {
    body["response_format"] = {{"type", "json_object"}};
  }
  return in_order(body);
}

std::string completion_request(const ChatOptions& options, const std::string& prompt) {
  OrderedJson body = common(options);
  body["prompt"] = prompt;
  return in_order(body);
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
  const Json json = parsed(body);
  if (!json.is_object()) {
    out.why = "the reply is no JSON object, or one in which a key stands twice";
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
