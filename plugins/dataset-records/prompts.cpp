#include "prompts.h"

#include <utility>

namespace lowbit::records {
namespace {

// Taori et al. 2023, Stanford Alpaca's two prompts.
std::string alpaca_prompt(const std::string& instruction, const std::string& context) {
  if (context.empty()) {
    return "Below is an instruction that describes a task. Write a response that appropriately completes the request."
           "\n\n### Instruction:\n" +
           instruction + "\n\n### Response:\n";
  }
  return "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
         "response that appropriately completes the request.\n\n### Instruction:\n" +
         instruction + "\n\n### Input:\n" + context + "\n\n### Response:\n";
}

}  // namespace

Prompts::Prompts(const std::filesystem::path& model, Options options) : options_(std::move(options)) {
  if (options_.chat) chat_.emplace(model, options_.chat_date);
}

std::optional<Example> Prompts::example(std::vector<lm::ChatMessage> messages, const std::string& context) const {
  if (!chat_) {
    if (messages.size() != 2 || messages.front().role != "user") return std::nullopt;
    return Example{.prompt = alpaca_prompt(messages.front().content, context),
                   .completion = messages.back().content + options_.end_token};
  }
  if (!context.empty()) messages[messages.size() - 2].content += "\n" + context;
  auto [prompt, completion] = chat_->example(messages);
  return Example{.prompt = std::move(prompt), .completion = std::move(completion)};
}

}  // namespace lowbit::records
