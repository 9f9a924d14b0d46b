#include "openai/params.h"

#include <algorithm>
#include <cmath>

namespace lowbit::openai {
namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(seconds * 1000)));
}

}  // namespace

Policy policy_of(const Job& job, const std::string& endpoint, const CallParams& params) {
  return {.max_concurrent = static_cast<std::size_t>(params.max_concurrent),
          .per_minute = job.requests_per_minute(endpoint).value_or(0),
          .timeout = milliseconds(params.timeout_s),
          .max_attempts = static_cast<int>(params.max_attempts),
          .backoff = milliseconds(params.backoff_s),
          .draw = [&job](const std::string& id, int attempt) {
            const auto bits = job.seed_for("backoff/" + id + "/" + std::to_string(attempt));
            return static_cast<double>(bits >> 11U) * 0x1p-53;
          }};
}

PaidCalls open_paid_calls(const Job& job, std::set<std::string> keys) {
  const auto file = job.paid_calls();
  if (!file) {
    throw StageError(LB_INTERNAL, {.what = "there is nowhere to keep what is paid for",
                                   .where = std::string(job.stage_id()),
                                   .why = "this host does not offer " LB_PAID_CALLS,
                                   .fix = "run the stage with the lowbit that this plugin was built with"});
  }
  return {*file, std::move(keys)};
}

}  // namespace lowbit::openai
