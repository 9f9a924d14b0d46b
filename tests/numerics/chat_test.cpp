#include "lm/chat.h"

#include <catch2/catch.hpp>
#include <map>

#include "numerics/support/files.h"

using namespace lowbit;
using lm::ChatTemplate;
using Json = nlohmann::json;

namespace {

const std::map<std::string, std::string> kFamilies{{"llama-2", "Llama 2"},
                                                   {"llama-3", "Llama 3"},
                                                   {"llama-3.1", "Llama 3.1"},
                                                   {"mistral-v0.1", "Mistral 0.1"},
                                                   {"mistral-v0.2", "Mistral 0.2"},
                                                   {"mistral-v0.3", "Mistral 0.3"},
                                                   {"mistral-nemo", "Mistral Nemo"},
                                                   {"qwen2", "Qwen2"},
                                                   {"qwen2.5", "Qwen2.5"}};

std::string own_template(const std::string& name) {
  return test::read_text(std::filesystem::path(LOWBIT_SOURCE_DIR) / "docs/chat-templates" / (name + ".jinja"));
}

/// The special tokens that peer_chat.py gives a template.
Json config_for(const std::string& text) {
  if (text.find("im_start") != text.npos) return {{"bos_token", nullptr}, {"eos_token", "<|im_end|>"}};
  if (text.find("start_header_id") != text.npos) {
    return {{"bos_token", "<|begin_of_text|>"}, {"eos_token", {{"content", "<|end_of_text|>"}}}};
  }
  return {{"bos_token", {{"content", "<s>"}}}, {"eos_token", "</s>"}};
}

ChatTemplate open_text(const std::string& text) {
  const test::ScratchDirectory dir;
  Json config = config_for(text);
  config["chat_template"] = text;
  test::write_text(dir.path() / "tokenizer_config.json", config.dump());
  return ChatTemplate::open(dir.path());
}

std::vector<lm::ChatMessage> messages_of(const Json& row) {
  std::vector<lm::ChatMessage> messages;
  for (const Json& message : row["messages"]) messages.push_back({message["role"], message["content"]});
  return messages;
}

std::string error_of_chat(const ChatTemplate& chat, const std::vector<lm::ChatMessage>& messages) {
  try {
    (void)chat.render(messages);
  } catch (const lm::Error& e) {
    return e.text().why;
  }
  return "";
}

void check_prompts(const ChatTemplate& chat, const std::string& name) {
  for (const Json& row : test::read_json(test::fixtures() / "chat" / (name + ".json"))) {
    INFO(name << ": " << row.dump());
    const ChatTemplate::Options options{.add_generation_prompt = row["add_generation_prompt"], .date = row["date"]};
    if (row["prompt"].is_null()) {
      CHECK_THROWS_AS(chat.render(messages_of(row), options), lm::Error);
    } else {
      CHECK(chat.render(messages_of(row), options) == row["prompt"].get<std::string>());
    }
  }
}

}  // namespace

TEST_CASE("conversations are written as transformers renders each family's template", "[chat]") {
  for (const auto& [name, family] : kFamilies) {
    const ChatTemplate chat = open_text(own_template(name));
    CHECK(chat.family() == family);
    check_prompts(chat, name);
  }
}

TEST_CASE("the published templates of Llama 3.1 to 3.3 are known, those of other models are not", "[chat]") {
  const auto dir = test::shared_data("tokenizers/chat-templates");
  if (!dir) return;
  for (const char* name : {"3.1-8B", "3.2-3B", "3.3-70B"}) {
    const std::string text = test::read_text(*dir / ("meta-llama-Llama-" + std::string(name) + "-Instruct.jinja"));
    const ChatTemplate chat = open_text(text);
    CHECK(chat.family() == "Llama 3.1");
    CHECK(chat.end_of_turn() == "<|eot_id|>");
    check_prompts(chat, "llama-3.1");
    CHECK_THROWS_AS(open_text(text + "."), lm::Error);
  }
  for (const char* name : {"fireworks-ai-llama-3-firefunction-v2.jinja", "llama-cpp-deepseek-r1.jinja"}) {
    CHECK_THROWS_AS(open_text(test::read_text(*dir / name)), lm::Error);
  }
}

TEST_CASE("a template stands in chat_template.jinja, or in tokenizer_config.json alone or among others", "[chat]") {
  const test::ScratchDirectory dir;
  Json config = config_for("");
  const auto family = [&] {
    test::write_text(dir.path() / "tokenizer_config.json", config.dump());
    return std::string(ChatTemplate::open(dir.path()).family());
  };
  config["chat_template"] = Json::array({{{"name", "tool_use"}, {"template", "{{ tools }}"}},
                                         {{"name", "default"}, {"template", own_template("mistral-v0.1")}}});
  CHECK(family() == "Mistral 0.1");
  config["chat_template"] = "\n" + own_template("mistral-v0.3") + " \n";  // white space around it says nothing
  CHECK(family() == "Mistral 0.3");
  test::write_text(dir.path() / "chat_template.jinja", own_template("llama-2"));
  CHECK(family() == "Llama 2");
}

TEST_CASE("Llama 3.1 names a day that does not move", "[chat]") {
  const std::string prompt = open_text(own_template("llama-3.1")).render({{"user", "\n hi \u00a0"}});
  CHECK(prompt ==
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST_CASE("what a template cannot say is refused", "[chat]") {
  const ChatTemplate llama2 = open_text(own_template("llama-2"));
  const ChatTemplate mistral = open_text(own_template("mistral-v0.1"));
  const std::string turns = "in Llama 2 user and assistant take turns, after an optional system message";
  CHECK(error_of_chat(llama2, {}) == "there is no message");
  CHECK(error_of_chat(llama2, {{"user", "a"}, {"user", "b"}}) == turns);
  CHECK(error_of_chat(llama2, {{"assistant", "a"}}) == turns);
  CHECK(error_of_chat(llama2, {{"user", "a"}, {"system", "b"}}) == turns);
  CHECK(error_of_chat(llama2, {{"tool", "a"}}) == "roles are system, user and assistant");
  CHECK(error_of_chat(mistral, {{"system", "a"}, {"user", "b"}}) == "Mistral 0.1 has no system message");
}

TEST_CASE("a model without a template, with an unknown one or without its tokens is refused with a fix", "[chat]") {
  const test::ScratchDirectory dir;
  const auto error = [&] { return dir.error_of([&] { (void)ChatTemplate::open(dir.path()); }); };
  const std::string none_fix = "  fix: use a model that was tuned for chats, or set `prompt.chat` of the task to false";
  CHECK(
      error() ==
      "the model has no chat template\n  where: DIR/tokenizer_config.json\n  why: there is no chat_template.jinja, and "
      "tokenizer_config.json has no chat_template\n" +
          none_fix);
  test::write_text(dir.path() / "tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "x"}]})");
  CHECK(error() ==
        "the model has no chat template\n  where: DIR/tokenizer_config.json\n  why: chat_template is neither a text "
        "nor a "
        "list with one named default\n" +
            none_fix);
  test::write_text(dir.path() / "chat_template.jinja", "abc");
  CHECK(
      error() ==
      "the chat template is not known\n  where: DIR/chat_template.jinja\n  why: its digest is "
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad; known are templates of Llama 2, 3 and 3.1 to "
      "3.3, Mistral 0.1 to 0.3 and Nemo, Qwen2 and 2.5\n  fix: if the model writes chats as one of these do, put the "
      "family's file of docs/chat-templates beside its tokenizer as chat_template.jinja; else write the markers into "
      "the task's `prompt.template` and set `prompt.chat` to false");
  test::write_text(dir.path() / "chat_template.jinja", own_template("llama-2"));
  CHECK(error() ==
        "the chat template needs bos_token and eos_token\n  where: DIR/tokenizer_config.json\n  why: one of them is "
        "missing or not a text\n  fix: copy tokenizer_config.json from the original model directory");
}
