// The parameters that every stage has that asks a model behind an API, and how they become a policy.
//
//   struct Params : openai::CallParams {
//     static auto fields() { return std::tuple_cat(lowbit::fields<Params>(...its own...),
//     openai::call_fields<Params>()); }
//   };
#pragma once

#include <lowbit/sdk.hpp>
#include <optional>
#include <set>
#include <string>

#include "openai/budget.h"
#include "openai/calls.h"
#include "openai/paid_calls.h"
#include "openai/questions.h"

namespace lowbit::openai {

struct CallParams {
  CallParams() = default;  // no aggregate: g++ 12 takes members of an aggregate base for uninitialized
  std::string model;
  std::optional<double> temperature = 0.0;
  std::int64_t max_tokens = 2048;
  bool supports_temperature = true, supports_system = true, max_completion_tokens = false;
  std::int64_t generation = 0;
  std::optional<double> usd_per_million_input, usd_per_million_output;
  std::int64_t max_concurrent = 4;
  double timeout_s = 120;
  std::int64_t max_attempts = 6;
  double backoff_s = 1;
  std::optional<double> max_cost_usd;
  std::optional<std::int64_t> max_total_tokens, max_calls;

  [[nodiscard]] Prices prices() const { return {.input = usd_per_million_input, .output = usd_per_million_output}; }
  [[nodiscard]] Limits limits() const {
    return {.cost_usd = max_cost_usd, .total_tokens = max_total_tokens, .calls = max_calls};
  }
  [[nodiscard]] ChatOptions chat_options() const {
    return {.model = model,
            .temperature = supports_temperature ? temperature : std::nullopt,
            .top_p = {},
            .max_tokens = max_tokens,
            .max_completion_tokens = max_completion_tokens,
            .system_role = supports_system,
            .seed = {},
            .stop = {}};
  }
};

/// `job` outlives it.
[[nodiscard]] Policy policy_of(const Job& job, const std::string& endpoint, const CallParams& params);
/// The project's file, for records of these keys. Throws StageError(LB_INTERNAL) when the host keeps none.
[[nodiscard]] PaidCalls open_paid_calls(const Job& job, std::set<std::string> keys);

template <class P, class T>
[[nodiscard]] Field<P, T> inherited(T CallParams::*member, std::string name) {
  return Field<P, T>(static_cast<T P::*>(member), std::move(name));
}

template <class P>
[[nodiscard]] auto call_fields() {
  using C = CallParams;
  return fields<P>(
      inherited<P>(&C::model, "model").required().not_empty().doc("model as the server knows it; best a dated version"),
      inherited<P>(&C::temperature, "temperature")
          .range(0, 2)
          .doc("sampling temperature; null: not sent, for models that refuse it"),
      inherited<P>(&C::max_tokens, "max_tokens").at_least(1).unit("tokens").doc("most tokens of an answer"),
      inherited<P>(&C::supports_temperature, "supports_temperature")
          .doc("false: `temperature` is not sent, whatever it is, for a model that refuses it"),
      inherited<P>(&C::supports_system, "supports_system")
          .doc("false: the system message stands at the beginning of the prompt, for a model that has no such role"),
      inherited<P>(&C::max_completion_tokens, "max_completion_tokens")
          .doc("true: the limit is sent under this name, for models that refuse `max_tokens`"),
      inherited<P>(&C::generation, "generation")
          .at_least(0)
          .doc("raise it to ask again what was answered before; earlier answers stay in the paid-calls file"),
      inherited<P>(&C::usd_per_million_input, "usd_per_million_input")
          .at_least(0)
          .unit("USD")
          .doc("price of a million input tokens; null: costs are not known"),
      inherited<P>(&C::usd_per_million_output, "usd_per_million_output")
          .at_least(0)
          .unit("USD")
          .doc("price of a million output tokens; null: costs are not known"),
      inherited<P>(&C::max_concurrent, "max_concurrent")
          .range(1, 256)
          .unit("calls")
          .no_effect_on_result()
          .doc("most calls under way at a time"),
      inherited<P>(&C::timeout_s, "timeout_s")
          .above(0)
          .at_most(3600)
          .unit("s")
          .no_effect_on_result()
          .doc("longest time of one call, from connecting to the last byte"),
      inherited<P>(&C::max_attempts, "max_attempts")
          .range(1, 100)
          .unit("calls")
          .no_effect_on_result()
          .doc("tries of a question before the stage gives up; a later run goes on"),
      inherited<P>(&C::backoff_s, "backoff_s")
          .above(0)
          .at_most(60)
          .unit("s")
          .no_effect_on_result()
          .doc("upper bound of the random wait after a first failure; it doubles with each further one"),
      inherited<P>(&C::max_cost_usd, "max_cost_usd")
          .at_least(0)
          .unit("USD")
          .no_effect_on_result()
          .doc("no call begins that could take the calls about these questions past it; null: no limit. Needs both "
               "prices"),
      inherited<P>(&C::max_total_tokens, "max_total_tokens")
          .at_least(0)
          .unit("tokens")
          .no_effect_on_result()
          .doc("likewise of input and output tokens together"),
      inherited<P>(&C::max_calls, "max_calls")
          .at_least(0)
          .unit("calls")
          .no_effect_on_result()
          .doc("likewise of calls, failed ones included"));
}

}  // namespace lowbit::openai
