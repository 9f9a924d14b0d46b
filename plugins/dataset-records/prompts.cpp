#include "prompts.h"

#include <utility>

#include "lm/error.h"

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

Prompts::Prompts(const std::filesystem::path& model, Options options)
    : options_(std::move(options)), tokenizer_(lm::Tokenizer::open(model / "tokenizer.json")) {
  if (options_.chat) chat_ = lm::ChatTemplate::open(model);
}

std::optional<Example> Prompts::example(std::vector<lm::ChatMessage> messages, const std::string& context) const {
  if (!chat_) {
    if (messages.size() != 2 || messages.front().role != "user") return std::nullopt;
    return Example{.prompt = alpaca_prompt(messages.front().content, context),
                   .completion = messages.back().content + options_.end_token};
  }
  if (!context.empty()) messages[messages.size() - 2].content += "\n" + context;
  return in_chat(messages);
}

Example Prompts::in_chat(const std::vector<lm::ChatMessage>& messages) const {
  const std::string prompt = chat_->render({messages.begin(), messages.end() - 1},
                                           {.add_generation_prompt = true, .date = options_.chat_date});
  const std::string whole = chat_->render(messages, {.add_generation_prompt = false, .date = options_.chat_date});
  if (!whole.starts_with(prompt)) {
    throw lm::Error(lm::Status::bad_input,
                    {.what = "the chat template renders a prompt otherwise once it is answered",
                     .where = "chat template of " + std::string(chat_->family()),
                     .why = "what it renders with the answer does not begin with what it renders without",
                     .fix = "use a model with another template, or template: alpaca"});
  }
  return {.prompt = without_start(prompt), .completion = whole.substr(prompt.size())};
}

// The tokenizer puts it in front of every prompt; written out too, it would stand there twice.
std::string Prompts::without_start(std::string rendered) const {
  const std::string start =
      tokenizer_.decode(tokenizer_.encode("", lm::Tokenizer::Special::add), lm::Tokenizer::Show::special_too);
  if (!rendered.starts_with(start)) {
    throw lm::Error(lm::Status::bad_input,
                    {.what = "chat template and tokenizer begin texts otherwise",
                     .where = "chat template of " + std::string(chat_->family()),
                     .why = "the tokenizer puts " + start + " in front of a text, and the template has none there",
                     .fix = "use the tokenizer that the template was published with"});
  }
  return rendered.substr(start.size());
}

}  // namespace lowbit::records
