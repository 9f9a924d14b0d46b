#include "records.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <lowbit/sdk.hpp>
#include <string_view>
#include <utility>

namespace lowbit::records {
namespace {

[[noreturn]] void bad(const std::string& what, const std::string& where, const std::string& why,
                      const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = what, .where = where, .why = why, .fix = fix});
}

constexpr const char* kForms = "docs/datasets.md shows the forms that are read";

const std::string& text_of(const Json& object, const char* field, const std::string& where) {
  const auto it = object.find(field);
  if (it == object.end() || !it->is_string()) {
    bad("a record is not as its form wants it", where, std::string("`") + field + "` is not a text", kForms);
  }
  return it->get_ref<const std::string&>();
}

/// Empty where it is missing or null.
std::string optional_text(const Json& object, const char* field, const std::string& where) {
  const auto it = object.find(field);
  return it == object.end() || it->is_null() ? std::string() : text_of(object, field, where);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

/// system, user, assistant, or nothing for a role that no template here can say (tools, functions).
std::optional<std::string> role_of(const std::string& written) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kRoles{{{"system", "system"},
                                                                                        {"user", "user"},
                                                                                        {"human", "user"},
                                                                                        {"assistant", "assistant"},
                                                                                        {"gpt", "assistant"},
                                                                                        {"chatgpt", "assistant"},
                                                                                        {"model", "assistant"}}};
  const auto found =
      std::find_if(kRoles.begin(), kRoles.end(), [&](const auto& role) { return role.first == written; });
  return found == kRoles.end() ? std::nullopt : std::optional(std::string(found->second));
}

/// {"role", "content"} of Hugging Face and OpenAI, or {"from", "value"} of ShareGPT. An empty role: one that is not
/// known.
lm::ChatMessage message_of(const Json& json, const std::string& where) {
  if (!json.is_object()) bad("a message is not an object", where, "it is " + std::string(json.type_name()), kForms);
  const bool share_gpt = json.contains("from");
  return {.role = role_of(text_of(json, share_gpt ? "from" : "role", where)).value_or(""),
          .content = text_of(json, share_gpt ? "value" : "content", where)};
}

std::vector<lm::ChatMessage> messages_of(const Json& list, const std::string& where) {
  if (!list.is_array()) bad("the messages are not a list", where, "they are " + std::string(list.type_name()), kForms);
  std::vector<lm::ChatMessage> messages;
  for (const Json& message : list) messages.push_back(message_of(message, where));
  return messages;
}

/// A text is one message of `role`.
std::vector<lm::ChatMessage> messages_or_text(const Json& json, const char* role, const std::string& where) {
  if (json.is_string()) return {{.role = role, .content = json.get<std::string>()}};
  return messages_of(json, where);
}

/// What all forms begin with.
struct Turns {
  std::vector<lm::ChatMessage> messages;
  std::string context;
};

std::optional<Turns> known_turns(const Json& record, const std::string& where) {
  Turns turns;
  if (const std::string system = optional_text(record, "system", where); !is_blank(system)) {
    turns.messages.push_back({.role = "system", .content = system});
  }
  const auto append = [&](std::vector<lm::ChatMessage> messages) {
    std::move(messages.begin(), messages.end(), std::back_inserter(turns.messages));
  };
  if (record.contains("conversations")) {
    append(messages_of(record["conversations"], where));
  } else if (record.contains("messages")) {
    append(messages_of(record["messages"], where));
  } else if (record.contains("instruction")) {
    for (const Json& pair : record.value("history", Json::array())) {  // LLaMA-Factory's: [instruction, answer]
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
        bad("a record is not as its form wants it", where, "`history` is not a list of pairs of texts", kForms);
      }
      append({{.role = "user", .content = pair[0]}, {.role = "assistant", .content = pair[1]}});
    }
    append({{.role = "user", .content = text_of(record, "instruction", where)}});
    turns.context = optional_text(record, "input", where);
    if (is_blank(turns.context)) turns.context.clear();
  } else if (record.contains("prompt")) {
    append(messages_or_text(record["prompt"], "user", where));
  } else {
    return std::nullopt;
  }
  return turns;
}

[[noreturn]] void unknown_form(const Json& record, const std::string& where) {
  std::string fields;
  for (const auto& [name, value] : record.items()) fields += (fields.empty() ? "" : ", ") + name;
  bad("a record is of no known form", where, "its fields are " + (fields.empty() ? "none" : fields), kForms);
}

/// Whether a system message stands first at most, and turns alternate from the user's on to one of `last`.
std::optional<LeftOut> problem_of(const std::vector<lm::ChatMessage>& messages, std::string_view last) {
  const auto is_unknown = [](const lm::ChatMessage& message) { return message.role.empty(); };
  if (std::any_of(messages.begin(), messages.end(), is_unknown)) return LeftOut{"role"};
  if (std::any_of(messages.begin(), messages.end(), [](const auto& m) { return is_blank(m.content); })) {
    return LeftOut{"empty"};
  }
  const std::size_t first = !messages.empty() && messages.front().role == "system" ? 1 : 0;
  for (std::size_t i = first; i < messages.size(); ++i) {
    if (messages[i].role != ((i - first) % 2 == 0 ? "user" : "assistant")) return LeftOut{"turns"};
  }
  if (messages.size() == first || messages.back().role != last) return LeftOut{"turns"};
  return std::nullopt;
}

bool same(const lm::ChatMessage& a, const lm::ChatMessage& b) { return a.role == b.role && a.content == b.content; }

/// An answer: a text, one message, or a whole conversation that begins with `turns`, or with its last ones.
std::optional<std::string> answer_of(const Json& json, const std::vector<lm::ChatMessage>& turns,
                                     const std::string& where) {
  if (json.is_string()) return json.get<std::string>();
  const std::vector<lm::ChatMessage> messages =
      json.is_object() ? std::vector{message_of(json, where)} : messages_of(json, where);
  if (messages.empty() || messages.back().role != "assistant") return std::nullopt;
  const std::size_t n_before = messages.size() - 1;
  if (n_before > turns.size()) return std::nullopt;
  const auto common = turns.end() - static_cast<std::ptrdiff_t>(n_before);
  if (!std::equal(common, turns.end(), messages.begin(), messages.end() - 1, same)) return std::nullopt;
  return messages.back().content;
}

}  // namespace

namespace {

void read_file(const std::filesystem::path& file, std::size_t& number, const Visit& visit) {
  const std::string name = file.filename().string();
  const auto give = [&](const Json& record, const std::string& where) {
    if (!record.is_object()) {
      bad("a record is not an object", where, "it is " + std::string(record.type_name()), kForms);
    }
    visit(number++, record, where);
  };
  std::ifstream in(file, std::ios::binary);
  if ((in >> std::ws).peek() != '[') {
    for_each_json_line(
        file, [&](const Json& record, std::size_t line) { give(record, name + ", line " + std::to_string(line)); });
    return;
  }
  const Json all = [&] {
    try {
      return Json::parse(in);
    } catch (const Json::exception& e) {
      bad(name + " cannot be read", file.string(), e.what(), "repair it: it begins as a JSON array");
    }
  }();
  std::size_t place = 0;
  for (const Json& record : all) give(record, name + ", record " + std::to_string(++place));
}

}  // namespace

void for_each_record(const std::filesystem::path& path, const Visit& visit) {
  std::vector<std::filesystem::path> files{path};
  if (std::filesystem::is_directory(path)) {
    files = {std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()};
    std::sort(files.begin(), files.end());
  }
  std::size_t number = 0;
  for (const std::filesystem::path& file : files) read_file(file, number, visit);
}

std::variant<Conversation, LeftOut> conversation_of(const Json& record, const std::string& where) {
  std::optional<Turns> turns = known_turns(record, where);
  if (!turns) unknown_form(record, where);
  for (const char* field : {"output", "completion"}) {
    if (!record.contains(field)) continue;
    for (lm::ChatMessage& message : messages_or_text(record[field], "assistant", where)) {
      turns->messages.push_back(std::move(message));
    }
  }
  if (const auto problem = problem_of(turns->messages, "assistant")) return *problem;
  return Conversation{.messages = std::move(turns->messages), .context = std::move(turns->context)};
}

std::variant<Preference, LeftOut> preference_of(const Json& record, const std::string& where) {
  if (!record.contains("chosen") || !record.contains("rejected")) unknown_form(record, where);
  std::optional<Turns> turns = known_turns(record, where);
  if (!turns) {  // the prompt is what both conversations begin with
    const auto chosen = messages_of(record["chosen"], where);
    if (chosen.empty()) return LeftOut{"turns"};
    turns = Turns{.messages = {chosen.begin(), chosen.end() - 1}, .context = {}};
  }
  if (const auto problem = problem_of(turns->messages, "user")) return *problem;
  const auto chosen = answer_of(record["chosen"], turns->messages, where);
  const auto rejected = answer_of(record["rejected"], turns->messages, where);
  if (!chosen || !rejected) return LeftOut{"turns"};
  if (is_blank(*chosen) || is_blank(*rejected)) return LeftOut{"empty"};
  const auto words = [](const std::string& text) {
    std::string kept;
    std::copy_if(text.begin(), text.end(), std::back_inserter(kept),
                 [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
    return kept;
  };
  if (words(*chosen) == words(*rejected)) return LeftOut{"equal"};
  return Preference{.messages = std::move(turns->messages),
                    .context = std::move(turns->context),
                    .chosen = *chosen,
                    .rejected = *rejected};
}

}  // namespace lowbit::records
