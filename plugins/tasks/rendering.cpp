#include "tasks/rendering.h"

#include "lm/error.h"

namespace lowbit::tasks {
namespace {

template <class Action>
auto as_stage_error(const Action& action) {
  try {
    return action();
  } catch (const lm::Error& e) {
    throw StageError(static_cast<lb_status>(e.status()),
                     {.what = e.text().what, .where = e.text().where, .why = e.text().why, .fix = e.text().fix});
  }
}

}  // namespace

Rendering::Rendering(const Task& task, const std::optional<std::filesystem::path>& model, const std::string& chat_date)
    : task_(task) {
  expect_generation(task);
  if (!task.chat) return;
  if (!model) {
    throw StageError(LB_BAD_INPUT,
                     {.what = "the prompts are for a chat template, and there is no model to take it from",
                      .where = "task " + task.name,
                      .why = "its `chat` is true, and the input `model` is not bound",
                      .fix = "bind `model` to the model that is asked"});
  }
  as_stage_error([&] { chat_.emplace(*model, chat_date); });
}

std::vector<lm::ChatMessage> Rendering::messages(const Item& item) const {
  std::vector<lm::ChatMessage> messages;
  if (task_.system) messages.push_back({.role = "system", .content = *task_.system});
  messages.push_back({.role = "user", .content = prompt_of(task_, item)});
  return messages;
}

Rendering::Prompt Rendering::prompt(const Item& item) const {
  if (!chat_) {
    const std::string text = prompt_of(task_, item);
    return {.asked = text, .row = text};
  }
  auto [rendered, row] = as_stage_error([&] { return chat_->prompt(messages(item)); });
  return {.asked = std::move(rendered), .row = std::move(row)};
}

std::string Rendering::end(const std::string& end_token) const {
  return chat_ ? std::string(chat_->end_of_turn()) : end_token;
}

lm::ChatPrompts::Example Rendering::example(const Item& item, const std::string& answer,
                                            const std::string& end_token) const {
  if (!chat_) return {.prompt = prompt_of(task_, item), .completion = answer + end_token};
  std::vector<lm::ChatMessage> turns = messages(item);
  turns.push_back({.role = "assistant", .content = answer});
  return as_stage_error([&] { return chat_->example(turns); });
}

}  // namespace lowbit::tasks
