// How items are asked, as parameters that readers of benchmarks and of training data share: with equal values both
// write the same prompts.
//
//   struct Params : tasks::PromptParams {
//     static auto fields() { return std::tuple_cat(tasks::prompt_fields<Params>(), lowbit::fields<Params>(...)); }
//   };
#pragma once

#include <lowbit/sdk.hpp>
#include <optional>
#include <string>

#include "tasks/task.h"

namespace lowbit::tasks {

struct PromptParams {
  std::string prompt_template = "{{problem}}";
  bool chat = false;
  std::optional<std::string> system;
};

template <class P>
auto prompt_fields() {
  return fields<P>(
      field(static_cast<std::string P::*>(&P::prompt_template), "template")
          .not_empty()
          .doc("what is asked: a text with `{{problem}}` and `{{field}}` for fields of the items"),
      field(static_cast<bool P::*>(&P::chat), "chat")
          .doc("ask through the model's chat template, the template's text as the user's message"),
      field(static_cast<std::optional<std::string> P::*>(&P::system), "system")
          .not_empty()
          .doc(
              "system message: a text, or the name of one (lowbit.step-align.v1). Without `chat` it stands in front of "
              "the template, an empty line between them"));
}

/// Sets prompt_template, chat and system. Throws StageError{LB_BAD_PARAM}.
void set_prompt(Task& task, const PromptParams& params);

}  // namespace lowbit::tasks
