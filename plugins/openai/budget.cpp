#include "openai/budget.h"

#include <array>
#include <utility>

namespace lowbit::openai {
namespace {

using Json = nlohmann::json;

Spent operator+(const Spent& a, const Spent& b) {
  return {.calls = a.calls + b.calls,
          .prompt_tokens = a.prompt_tokens + b.prompt_tokens,
          .completion_tokens = a.completion_tokens + b.completion_tokens,
          .cost_usd = a.cost_usd + b.cost_usd};
}
std::int64_t tokens_of(const Spent& spent) { return spent.prompt_tokens + spent.completion_tokens; }

double price_of(const Spent& spent, const Prices& prices) {
  return (prices.input.value_or(0) * static_cast<double>(spent.prompt_tokens) +
          prices.output.value_or(0) * static_cast<double>(spent.completion_tokens)) /
         1e6;
}

/// The first limit that so much would pass; empty: none.
std::string passed(const Limits& limits, const Spent& spent) {
  if (limits.calls && spent.calls > *limits.calls) return "max_calls";
  if (limits.total_tokens && tokens_of(spent) > *limits.total_tokens) return "max_total_tokens";
  if (limits.cost_usd && spent.cost_usd > *limits.cost_usd) return "max_cost_usd";
  return {};
}

StageError used_up(const std::string& limit, const Spent& spent, const Spent& next) {
  return {LB_BAD_PARAM,
          {.what = "the budget of this stage is used up",
           .where = "parameter " + limit,
           .why = "spent are " + std::to_string(spent.calls) + " calls, " + std::to_string(tokens_of(spent)) +
                  " tokens, " + Json(spent.cost_usd).dump() + " USD; the next call may take " +
                  std::to_string(tokens_of(next)) + " tokens",
           .fix = "raise `" + limit + "` and run again: answers that were paid for are kept, and the rest is asked"}};
}

}  // namespace

void Budget::count(const Json& record) {
  Spent call{.calls = 1};
  if (record.at("answered") == true) {
    const Completion completion = completion_of(record);
    call.prompt_tokens = completion.prompt_tokens.value_or(0);
    call.completion_tokens = completion.completion_tokens.value_or(0);
    call.cost_usd = price_of(call, prices_);
  }
  spent_ = spent_ + call;
}

Spent Budget::at_most(const Request& request, std::int64_t max_tokens) const {
  Spent most{
      .calls = 1, .prompt_tokens = static_cast<std::int64_t>(request.body.size()), .completion_tokens = max_tokens};
  most.cost_usd = price_of(most, prices_);
  return most;
}

Turn Budget::turn(Request request, std::int64_t max_tokens) {
  const Spent next = at_most(request, max_tokens);
  Spent with_all = spent_ + next;
  for (const auto& [id, most] : under_way_) with_all = with_all + most;
  if (const std::string limit = passed(limits_, with_all); !limit.empty()) {
    if (!under_way_.empty()) return Wait{};
    return used_up(limit, spent_, next);
  }
  under_way_.emplace(request.id, next);
  return request;
}

void Budget::ended(const std::string& request_id, const Json& record) {
  under_way_.erase(request_id);
  count(record);
}

std::string estimate(std::size_t n_questions, std::size_t n_bytes, std::int64_t max_tokens, const Prices& prices) {
  constexpr std::size_t kBytesPerToken = 4;
  const Spent most{.prompt_tokens = static_cast<std::int64_t>(n_bytes / kBytesPerToken),
                   .completion_tokens = static_cast<std::int64_t>(n_questions) * max_tokens};
  std::string out = "about " + std::to_string(most.prompt_tokens) + " input tokens and at most " +
                    std::to_string(most.completion_tokens) + " output tokens";
  if (prices.input && prices.output) out += ", at most " + Json(price_of(most, prices)).dump() + " USD";
  return out;
}

void expect_prices(const Limits& limits, const Prices& prices) {
  if (!limits.cost_usd || (prices.input && prices.output)) return;
  throw StageError(LB_BAD_PARAM, {.what = "a budget in USD needs prices",
                                  .where = "parameter max_cost_usd",
                                  .why = "usd_per_million_input or usd_per_million_output is not set",
                                  .fix = "set both prices, or limit `max_total_tokens` instead"});
}

}  // namespace lowbit::openai
