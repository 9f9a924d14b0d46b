// The texts that a task's items are asked in: its filled template, or what a model's chat template makes of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lm/chat_prompts.h"
#include "tasks/task.h"

namespace lowbit::tasks {

class Rendering {
 public:
  struct Prompt {
    std::string asked;  ///< what the model is given: prompt_sha of predictions is of it
    std::string row;    ///< as rows to train on begin: without the start token, which trainers put there
  };

  /// `model`: directory of the model, read for chat tasks only. Throws StageError: LB_BAD_INPUT for a task that is not
  /// answered in text, for a chat task without a model, and for a model whose chat template is not known.
  Rendering(const Task& task, const std::optional<std::filesystem::path>& model, const std::string& chat_date);

  [[nodiscard]] Prompt prompt(const Item& item) const;
  /// What stands behind a completion that ended by itself: the chat template's end of turn, or `end_token` without one.
  [[nodiscard]] std::string end(const std::string& end_token) const;
  /// A row's prompt and completion with `answer` as the answer.
  [[nodiscard]] lm::ChatPrompts::Example example(const Item& item, const std::string& answer,
                                                 const std::string& end_token) const;

 private:
  [[nodiscard]] std::vector<lm::ChatMessage> messages(const Item& item) const;

  const Task& task_;
  std::optional<lm::ChatPrompts> chat_;
};

}  // namespace lowbit::tasks
