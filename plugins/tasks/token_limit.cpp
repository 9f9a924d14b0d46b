#include "tasks/token_limit.h"

#include <lowbit/sdk.hpp>

#include "lm/error.h"

namespace lowbit::tasks {

TokenLimit::TokenLimit(std::int64_t max_tokens, const std::optional<std::filesystem::path>& model)
    : max_tokens_(static_cast<std::size_t>(max_tokens)) {
  if (max_tokens == 0) return;
  if (!model) {
    throw StageError(LB_BAD_INPUT, {.what = "tokens cannot be counted without a model",
                                    .where = "max_tokens",
                                    .why = "the input `model` is not bound",
                                    .fix = "bind `model` to the model that is trained, or set max_tokens to 0"});
  }
  try {
    tokenizer_ = lm::Tokenizer::open(*model / "tokenizer.json");
  } catch (const lm::Error& e) {
    throw StageError(static_cast<lb_status>(e.status()),
                     {.what = e.text().what, .where = e.text().where, .why = e.text().why, .fix = e.text().fix});
  }
}

bool TokenLimit::is_exceeded_by(const std::string& prompt, const std::string& completion) const {
  return tokenizer_ && tokenizer_->encode(prompt + completion).size() > max_tokens_;
}

}  // namespace lowbit::tasks
