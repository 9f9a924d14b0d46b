#include "lm/chat.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "lm/digest.h"
#include "lm/error.h"
#include "lm/json_file.h"
#include "lm/utf8.h"

namespace lowbit::lm {

/// A family's way to write a conversation. Facts: the published templates, by their digests below.
struct ChatTemplate::Style {
  enum class Kind {
    headers,   ///< Llama 3: <|start_header_id|>role<|end_header_id|>
    im,        ///< Qwen: <|im_start|>role
    brackets,  ///< Llama 2 and Mistral: [INST] ... [/INST]
  };
  enum class System {
    turn,          ///< a turn like others
    dated_turn,    ///< the first turn is always the system's, with two dates before its text
    first_user,    ///< in front of the first user message
    last_message,  ///< in front of the last message, when this is the user's; else it is not written
    none
  };
  std::string_view family;
  Kind kind;
  System system;
  std::string_view default_system = {};
  std::string_view user_open = {}, user_close = {}, answer_open = {}, after_answer = {};
  std::string_view system_open = {}, system_close = {};
  bool bos_each_time = false, strips_user = false, strips_answer = false;
};

namespace {

using Json = nlohmann::json;

/// Without white space at its ends, as Python's str.strip: White_Space and the separators U+001C to U+001F.
std::string_view stripped(std::string_view text) {
  const auto is_blank = [](std::string_view c) { return is_white_space(c) || (c >= "\x1c" && c <= "\x1f"); };
  while (!text.empty()) {
    const size_t length = *utf8_length(text, 0);
    if (!is_blank(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while (!text.empty()) {
    const size_t last = utf8_previous(text, text.size());
    if (!is_blank(text.substr(last))) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

[[noreturn]] void no_template(const std::filesystem::path& where, const std::string& why) {
  throw Error(Status::bad_input,
              {.what = "the model has no chat template",
               .where = where.string(),
               .why = why,
               .fix = "use a model that was tuned for chats, or set `prompt.chat` of the task to false"});
}

std::optional<std::string> text_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// `tokenizer_config`: its chat_template is a text or a list of named ones, of which "default" counts.
std::string default_template(const Json& tokenizer_config, const std::filesystem::path& where) {
  const Json found = tokenizer_config.value("chat_template", Json());
  if (found.is_string()) return found.get<std::string>();
  for (const Json& item : found.is_array() ? found : Json::array()) {
    if (item.is_object() && item.value("name", Json()) == "default" && item.value("template", Json()).is_string()) {
      return item["template"].get<std::string>();
    }
  }
  no_template(where, found.is_null() ? "there is no chat_template.jinja, and tokenizer_config.json has no chat_template"
                                     : "chat_template is neither a text nor a list with one named default");
}

/// A text, or an object with the text as `content`; empty when there is none.
std::string special_token(const Json& tokenizer_config, const char* key) {
  const Json token = tokenizer_config.value(key, Json());
  const Json text = token.is_object() ? token.value("content", Json()) : token;
  return text.is_string() ? text.get<std::string>() : "";
}

}  // namespace

ChatTemplate::ChatTemplate(const Style& style, std::string bos, std::string eos, std::string where)
    : style_(&style), bos_(std::move(bos)), eos_(std::move(eos)), where_(std::move(where)) {}

const ChatTemplate::Style* ChatTemplate::style_of(std::string_view digest) {
  using Kind = Style::Kind;
  using System = Style::System;
  static constexpr Style kLlama2{.family = "Llama 2",
                                 .kind = Kind::brackets,
                                 .system = System::first_user,
                                 .user_open = "[INST] ",
                                 .user_close = " [/INST]",
                                 .answer_open = " ",
                                 .after_answer = " ",
                                 .system_open = "<<SYS>>\n",
                                 .system_close = "\n<</SYS>>\n\n",
                                 .bos_each_time = true,
                                 .strips_user = true,
                                 .strips_answer = true};
  static constexpr Style kLlama3{.family = "Llama 3", .kind = Kind::headers, .system = System::turn};
  static constexpr Style kLlama31{.family = "Llama 3.1", .kind = Kind::headers, .system = System::dated_turn};
  static constexpr Style kMistral1{.family = "Mistral 0.1",
                                   .kind = Kind::brackets,
                                   .system = System::none,
                                   .user_open = "[INST] ",
                                   .user_close = " [/INST]"};
  static constexpr Style kMistral2{.family = "Mistral 0.2",
                                   .kind = Kind::brackets,
                                   .system = System::first_user,
                                   .user_open = " [INST] ",
                                   .user_close = " [/INST]",
                                   .answer_open = " ",
                                   .system_close = "\n\n"};
  static constexpr Style kMistral3{.family = "Mistral 0.3",
                                   .kind = Kind::brackets,
                                   .system = System::last_message,
                                   .user_open = "[INST] ",
                                   .user_close = "[/INST]",
                                   .answer_open = " ",
                                   .system_close = "\n\n",
                                   .strips_answer = true};
  static constexpr Style kNemo{.family = "Mistral Nemo",
                               .kind = Kind::brackets,
                               .system = System::last_message,
                               .user_open = "[INST]",
                               .user_close = "[/INST]",
                               .system_close = "\n\n"};
  static constexpr Style kQwen2{
      .family = "Qwen2", .kind = Kind::im, .system = System::turn, .default_system = "You are a helpful assistant."};
  static constexpr Style kQwen25{
      .family = "Qwen2.5",
      .kind = Kind::im,
      .system = System::turn,
      .default_system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."};
  struct Known {
    std::string_view sha256;  // of the text without white space at its ends
    const Style* style;
  };
  static constexpr std::array<Known, 20> kKnown{{
      // Published with the models; both of Nemo's render the same.
      {"e8d5b5a546d3f19df16a5320c614fab05bdc4edd50e850f1afd947b503ea41cf", &kLlama2},
      {"ba03a121d097859c7b5b9cd03af99aafe95275210d2876f642ad9929a150f122", &kLlama3},
      {"93c0e9aa3629bbd77e68dbc0f5621f6e6b23aa8d74b932595cdb8d64684526d7", &kLlama31},   // 3.1 and 3.3
      {"d82792f95932f1c9cef5c4bd992f171225e3bf8c7b609b4557c9e1ec96be819f", &kLlama31},   // 3.2
      {"26a59556925c987317ce5291811ba3b7f32ec4c647c400c6cc7e3a9993007ba7", &kMistral1},  // 0.2's first one, too
      {"bbc58aad99454df60138be9530c9601a0adfe3d8932cda975e1f10b2410ddc51", &kMistral2},
      {"cafb64e0e9e5fd2503054b3479593fae39cbdfd52338ce8af9bb4664a8eb05bd", &kMistral3},
      {"e7deee034838db2bfc7487788a3013d8a307ab69f72f3c54a85f06fd76007d4e", &kNemo},
      {"c7a94f505398612940c13ee95070d0d152bcb7b4afbd74a06ff148a82a02851c", &kNemo},
      {"793202280c0910ab26bc6eb57c8212c2417324c6d8c4efd0d10d59092ab3e3eb", &kQwen2},
      {"55b2f4a26ac9ee719330a61a0c39d9e538b0e9322212f048326318cff4f8674a", &kQwen25},
      // docs/chat-templates
      {"d8ff2442409f934e41f0a77c7d1b87e01ba898e3a2e70e24f6b8aff1b6275fb5", &kLlama2},
      {"dfcc295db2cd50adf18752c85de111a05a732efe550f09bfae817b73557acf80", &kLlama3},
      {"e42f40d49c9b00decac963d63ee0ad7fcf646b7365e7ce3f4dd61aa6d9af512e", &kLlama31},
      {"d1023468c6830f938562075c0f0e1d4ec31b7c8aadeada7dc3fdc69bee8ed29c", &kMistral1},
      {"650323c0edbee93c526cccc3df41f459f37a500998d675ce27e693c56aa40ff8", &kMistral2},
      {"77f79ff8c674a823f3f966930fe6bbd522cb29f75d3f3d5add7a8d8dbddc8681", &kMistral3},
      {"60e5a96c24f97ccf1ec54bce04fe5bff5d23806be64d8eaa1a9e5851e4cc64a1", &kNemo},
      {"773f9312e15b6adb61abdd12d476ea21f07ad5aeba86eca84f09002293577fe2", &kQwen2},
      {"14383ef19722c0d2296d3d2270ea42dc358f17ef992eb3be0f099560134baedf", &kQwen25},
  }};
  const auto* const found =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& known) { return known.sha256 == digest; });
  return found == kKnown.end() ? nullptr : found->style;
}

ChatTemplate ChatTemplate::open(const std::filesystem::path& directory) {
  std::filesystem::path where = directory / "tokenizer_config.json";
  const Json config = std::filesystem::exists(where) ? read_json_file(where) : Json::object();
  if (!config.is_object()) no_template(where, "tokenizer_config.json is not an object");
  std::optional<std::string> text = text_of_file(directory / "chat_template.jinja");
  if (text) where = directory / "chat_template.jinja";
  if (!text) text = default_template(config, where);

  const std::string digest = sha256_of_text(stripped(utf8_replaced(*text)));
  const Style* const style = style_of(digest);
  if (style == nullptr) {
    throw Error(
        Status::bad_input,
        {.what = "the chat template is not known",
         .where = where.string(),
         .why = "its digest is " + digest +
                "; known are templates of Llama 2, 3 and 3.1 to 3.3, Mistral 0.1 to 0.3 and Nemo, Qwen2 and 2.5",
         .fix = "if the model writes chats as one of these do, put the family's file of docs/chat-templates "
                "beside its tokenizer as chat_template.jinja; else write the markers into the task's "
                "`prompt.template` and set `prompt.chat` to false"});
  }
  ChatTemplate result(*style, special_token(config, "bos_token"), special_token(config, "eos_token"), where.string());
  if (style->kind != Style::Kind::im && (result.bos_.empty() || result.eos_.empty())) {
    throw Error(Status::bad_input, {.what = "the chat template needs bos_token and eos_token",
                                    .where = (directory / "tokenizer_config.json").string(),
                                    .why = "one of them is missing or not a text",
                                    .fix = "copy tokenizer_config.json from the original model directory"});
  }
  return result;
}

std::string_view ChatTemplate::family() const { return style_->family; }

std::string_view ChatTemplate::end_of_turn() const {
  switch (style_->kind) {
    case Style::Kind::headers: return "<|eot_id|>";
    case Style::Kind::im: return "<|im_end|>";
    case Style::Kind::brackets: break;
  }
  return eos_;
}

void ChatTemplate::expect_turns(const std::vector<ChatMessage>& messages) const {
  const auto refuse = [&](size_t i, const std::string& why) {
    const std::string at = i < messages.size() ? "message " + std::to_string(i + 1) + " of the conversation, role " +
                                                     (messages[i].role.empty() ? "empty" : messages[i].role)
                                               : "an empty conversation";
    throw Error(Status::bad_input, {.what = "the chat template cannot write this conversation",
                                    .where = at + "; " + where_,
                                    .why = why,
                                    .fix = "change the messages, or use a model of another family"});
  };
  if (messages.empty()) refuse(0, "there is no message");
  const bool has_system = messages.front().role == "system";
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    if (role != "system" && role != "user" && role != "assistant") {
      refuse(i, "roles are system, user and assistant");
    }
    if (style_->kind != Style::Kind::brackets) continue;
    if (role == "system" && style_->system == Style::System::none) {
      refuse(i, std::string(family()) + " has no system message");
    }
    if (has_system && i == 0) continue;
    if ((role == "user") != ((i - (has_system ? 1U : 0U)) % 2 == 0) || role == "system") {
      refuse(i, "in " + std::string(family()) + " user and assistant take turns, after an optional system message");
    }
  }
}

std::string ChatTemplate::render(const std::vector<ChatMessage>& messages) const { return render(messages, Options()); }

std::string ChatTemplate::render(const std::vector<ChatMessage>& messages, const Options& options) const {
  expect_turns(messages);
  std::vector<ChatMessage> turns = messages;
  for (ChatMessage& turn : turns) turn.content = utf8_replaced(turn.content);
  const Style& style = *style_;
  const bool has_system = turns.front().role == "system";
  std::string text;

  if (style.kind == Style::Kind::headers) {
    text = bos_;
    if (style.system == Style::System::dated_turn) {
      if (!has_system) turns.insert(turns.begin(), {"system", ""});
      turns.front().content = "Cutting Knowledge Date: December 2023\nToday Date: " + options.date + "\n\n" +
                              std::string(stripped(turns.front().content));
    }
    for (const ChatMessage& turn : turns) {
      const bool dated = style.system == Style::System::dated_turn && &turn == &turns.front();
      text += "<|start_header_id|>" + turn.role + "<|end_header_id|>\n\n";
      text += dated ? turn.content : stripped(turn.content);
      text += "<|eot_id|>";
    }
    if (options.add_generation_prompt) text += "<|start_header_id|>assistant<|end_header_id|>\n\n";
    return text;
  }

  if (style.kind == Style::Kind::im) {
    if (!has_system) turns.insert(turns.begin(), {"system", std::string(style.default_system)});
    for (const ChatMessage& turn : turns) text += "<|im_start|>" + turn.role + "\n" + turn.content + "<|im_end|>\n";
    if (options.add_generation_prompt) text += "<|im_start|>assistant\n";
    return text;
  }

  if (!style.bos_each_time) text = bos_;
  for (size_t i = has_system ? 1 : 0; i < turns.size(); ++i) {
    if (turns[i].role == "assistant") {
      text += style.answer_open;
      text += style.strips_answer ? stripped(turns[i].content) : turns[i].content;
      text.append(style.after_answer).append(eos_);
      continue;
    }
    std::string content = turns[i].content;
    const bool at_place = style.system == Style::System::first_user ? i == 1 : i + 1 == turns.size();
    if (has_system && at_place) {
      content = std::string(style.system_open) + turns.front().content + std::string(style.system_close) + content;
    }
    if (style.bos_each_time) text += bos_;
    text += style.user_open;
    text += style.strips_user ? stripped(content) : content;
    text += style.user_close;
  }
  return text;
}

}  // namespace lowbit::lm
