#include "tasks/system_prompts.h"

#include <lowbit/sdk.hpp>

#include "system_prompt_texts.h"

namespace lowbit::tasks {

std::string system_message(std::string_view value) {
  if (!value.starts_with("lowbit.")) return std::string(value);
  std::string_view text = embedded::system_prompt_texts::find_text(std::string(value) + ".txt");
  if (text.empty()) {
    throw StageError(LB_BAD_PARAM, {.what = "there is no system message of that name",
                                    .where = "system",
                                    .why = "it is " + std::string(value) + ", known is lowbit.step-align.v1",
                                    .fix = "use that name, or write the message itself, which must not begin with "
                                           "`lowbit.`"});
  }
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace lowbit::tasks
