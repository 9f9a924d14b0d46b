// What a model is asked and taught in its own chat template, as stages that prepare data need it.
//
// Two texts of one prompt: as the template renders it, and without the start token, which trainers put in front of
// every row themselves; written out too, it would stand there twice.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lm/chat.h"
#include "lm/tokenizer.h"

namespace lowbit::lm {

class ChatPrompts {
 public:
  struct Prompt {
    std::string rendered;  ///< what generation is asked, and what prompt_sha of predictions is of
    std::string row;       ///< the same without the start token
  };
  struct Example {
    std::string prompt;      ///< a row's
    std::string completion;  ///< the answer and the end of its turn
  };

  /// `model`: directory with tokenizer and chat template; `date`: the day that some templates name. Throws Error.
  ChatPrompts(const std::filesystem::path& model, std::string date);

  /// The messages and the opening of the answer. Throws Error{bad_input} where tokenizer and template begin texts
  /// otherwise.
  [[nodiscard]] Prompt prompt(const std::vector<ChatMessage>& messages) const;
  /// The last message, an assistant's, as the completion of those before it. Throws Error{bad_input} where the template
  /// does not render the prompt as the beginning of the whole, too.
  [[nodiscard]] Example example(const std::vector<ChatMessage>& messages) const;
  /// The token that ends an answer.
  [[nodiscard]] std::string_view end_of_turn() const { return chat_.end_of_turn(); }
  [[nodiscard]] const Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  [[nodiscard]] std::string without_start(const std::string& rendered) const;

  std::string date_;
  Tokenizer tokenizer_;
  ChatTemplate chat_;
};

}  // namespace lowbit::lm
