// What a stage may spend: counted as answers come, reserved while they are on their way, so that a limit is not passed
// by calls that were begun together. A person raises the limit, and the stage goes on where it stood.
//
//   Budget budget({.cost_usd = 5}, prices);
//   for (record of the questions that is kept already) budget.count(record);
//   budget.turn(request, max_tokens)   ...the call...   budget.ended(request.id, record);
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "openai/calls.h"
#include "openai/questions.h"

namespace lowbit::openai {

/// Over all calls about the questions of a stage, whoever made them; nothing: no limit.
struct Limits {
  std::optional<double> cost_usd;
  std::optional<std::int64_t> total_tokens, calls;
};

struct Spent {
  std::int64_t calls = 0, prompt_tokens = 0, completion_tokens = 0;
  double cost_usd = 0;
};

class Budget {
 public:
  Budget(const Limits& limits, const Prices& prices) : limits_(limits), prices_(prices) {}

  /// Takes in a call that has ended: its record in the paid-calls file.
  void count(const nlohmann::json& record);
  /// Whether a call may begin: Request (it is reserved now), Wait (it may when those under way have ended), or a
  /// StageError(LB_BAD_PARAM) that names the limit. A call is taken to cost at most its bytes in tokens, and
  /// `max_tokens`.
  [[nodiscard]] Turn turn(Request request, std::int64_t max_tokens);
  /// Ends what turn() reserved, and counts the record.
  void ended(const std::string& request_id, const nlohmann::json& record);

  [[nodiscard]] const Spent& spent() const { return spent_; }

 private:
  [[nodiscard]] Spent at_most(const Request& request, std::int64_t max_tokens) const;

  Limits limits_;
  Prices prices_;
  Spent spent_;
  std::map<std::string, Spent> under_way_;  ///< by request
};

/// "about 900 input tokens and at most 4096 output tokens, at most 0.05 USD": what questions of so many bytes come to,
/// four bytes to an input token; without a price where one is not known.
[[nodiscard]] std::string estimate(std::size_t n_questions, std::size_t n_bytes, std::int64_t max_tokens,
                                   const Prices& prices);
/// Refuses a limit in USD without prices: LB_BAD_PARAM.
void expect_prices(const Limits& limits, const Prices& prices);

}  // namespace lowbit::openai
