// Conversations as the texts that a model is trained on: its own chat template, or Stanford Alpaca's prompt for models
// without one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lm/chat_prompts.h"

namespace lowbit::records {

struct Example {
  std::string prompt, completion;
};

class Prompts {
 public:
  struct Options {
    bool chat = true;  ///< the model's chat template; false: Alpaca's prompt
    std::string chat_date;
    std::string end_token;  ///< behind Alpaca's completions
  };
  /// `model`: directory with tokenizer and chat template. Throws lm::Error.
  Prompts(const std::filesystem::path& model, Options options);

  /// The last message, an assistant's, as the completion of those before it. The prompt is without the start token,
  /// which trainers put in front. Nothing when Alpaca's prompt cannot say it: more than one turn, or a system message.
  /// Throws lm::Error where the template does not render the prompt as the beginning of the whole.
  [[nodiscard]] std::optional<Example> example(std::vector<lm::ChatMessage> messages, const std::string& context) const;

 private:
  Options options_;
  std::optional<lm::ChatPrompts> chat_;
};

}  // namespace lowbit::records
