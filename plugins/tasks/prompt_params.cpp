#include "tasks/prompt_params.h"

#include "tasks/system_prompts.h"

namespace lowbit::tasks {

void set_prompt(Task& task, const PromptParams& params) {
  task.prompt_template = params.prompt_template;
  task.chat = params.chat;
  task.system.reset();
  if (!params.system) return;
  std::string message = system_message(*params.system);
  if (params.chat) {
    task.system = std::move(message);
    return;
  }
  if (message.find("{{") != std::string::npos) {
    throw StageError(LB_BAD_PARAM,
                     {.what = "the system message would be read as a template",
                      .where = "system",
                      .why = "without `chat` it stands in front of the template, and it has `{{` in it",
                      .fix = "set `chat` to true, or write the message without two opening braces in a row"});
  }
  task.prompt_template = message + "\n\n" + params.prompt_template;
}

}  // namespace lowbit::tasks
