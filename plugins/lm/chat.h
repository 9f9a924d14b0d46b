// Messages -> the prompt a chat model was trained on, as the chat template beside its tokenizer renders them.
//
//   const auto chat = lm::ChatTemplate::open("models/llama-3.1-8b-instruct");
//   const std::string prompt = chat.render({{"system", "Be brief."}, {"user", "2 + 2?"}});
//   tokenizer.encode(prompt, lm::Tokenizer::Special::skip);   // the prompt has its <|begin_of_text|> already
//
// Templates are programs (Jinja); these are not run but recognised by their digest and rendered here, so a template
// either renders exactly as its text says or is refused. Known are the published ones of Llama 2, 3, 3.1, 3.2 and 3.3,
// Mistral-Instruct 0.1 to 0.3 and Nemo, Qwen2 and Qwen2.5, and docs/chat-templates, which render the same; tools are
// left out. Thread rule: const members may be called from any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::lm {

struct ChatMessage {
  std::string role;  ///< system, user or assistant
  std::string content;
};

/// The day that Llama 3.1's template names when nobody gives it one; 3.2's would name the day it is run.
inline constexpr std::string_view kChatDate = "26 Jul 2024";

class ChatTemplate {
 public:
  /// `directory`: chat_template.jinja or, where there is none, chat_template of tokenizer_config.json, whose bos_token
  /// and eos_token are used. Throws Error{bad_input} when there is no template or one that is not known.
  [[nodiscard]] static ChatTemplate open(const std::filesystem::path& directory);

  struct Options {
    bool add_generation_prompt = true;  ///< end with the opening of the assistant's answer, where the family has one
    std::string date = std::string(kChatDate);  ///< "Today Date" of Llama 3.1 and later, in this spelling
  };
  /// Contents that are not UTF-8 are repaired as Tokenizer::encode does it.
  /// Throws Error{bad_input} with the message's number when the family's template cannot say the conversation: an
  /// unknown role, no turns, a system message that is not the first or not provided for.
  [[nodiscard]] std::string render(const std::vector<ChatMessage>& messages, const Options& options) const;
  [[nodiscard]] std::string render(const std::vector<ChatMessage>& messages) const;

  /// "Llama 3.1", ...
  [[nodiscard]] std::string_view family() const;
  /// The token that ends an answer; the model may write it though config.json does not list it as an end token.
  [[nodiscard]] std::string_view end_of_turn() const;

 private:
  struct Style;
  /// `digest`: SHA-256 of a template without white space at its ends; null when it is not known.
  [[nodiscard]] static const Style* style_of(std::string_view digest);
  ChatTemplate(const Style& style, std::string bos, std::string eos, std::string where);
  void expect_turns(const std::vector<ChatMessage>& messages) const;

  const Style* style_;
  std::string bos_, eos_, where_;
};

}  // namespace lowbit::lm
