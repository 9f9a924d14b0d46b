#include "lm/chat_prompts.h"

#include <utility>

#include "lm/error.h"

namespace lowbit::lm {

ChatPrompts::ChatPrompts(const std::filesystem::path& model, std::string date)
    : date_(std::move(date)), tokenizer_(Tokenizer::open(model / "tokenizer.json")), chat_(ChatTemplate::open(model)) {}

ChatPrompts::Prompt ChatPrompts::prompt(const std::vector<ChatMessage>& messages) const {
  Prompt prompt{.rendered = chat_.render(messages, {.add_generation_prompt = true, .date = date_}), .row = {}};
  prompt.row = without_start(prompt.rendered);
  return prompt;
}

ChatPrompts::Example ChatPrompts::example(const std::vector<ChatMessage>& messages) const {
  Prompt asked = prompt({messages.begin(), messages.end() - 1});
  const std::string whole = chat_.render(messages, {.add_generation_prompt = false, .date = date_});
  if (!whole.starts_with(asked.rendered)) {
    throw Error(Status::bad_input,
                {.what = "the chat template renders a prompt otherwise once it is answered",
                 .where = "chat template of " + std::string(chat_.family()),
                 .why = "what it renders with the answer does not begin with what it renders without",
                 .fix = "use a model with another template, or prompts without one"});
  }
  return {.prompt = std::move(asked.row), .completion = whole.substr(asked.rendered.size())};
}

std::string ChatPrompts::without_start(const std::string& rendered) const {
  const std::string start =
      tokenizer_.decode(tokenizer_.encode("", Tokenizer::Special::add), Tokenizer::Show::special_too);
  if (!rendered.starts_with(start)) {
    throw Error(Status::bad_input,
                {.what = "chat template and tokenizer begin texts otherwise",
                 .where = "chat template of " + std::string(chat_.family()),
                 .why = "the tokenizer puts " + start + " in front of a text, and the template has none there",
                 .fix = "use the tokenizer that the template was published with"});
  }
  return rendered.substr(start.size());
}

}  // namespace lowbit::lm
