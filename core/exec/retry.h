// Which failures another attempt may mend, and when it is made.
#pragma once

#include <chrono>
#include <cstdint>

#include "domain/experiment_spec.h"
#include "exec/publish.h"

namespace lowbit::exec {

/// Whether the policy asks for another attempt after this cause. Never for a stage's own failures (numeric, bad input,
/// a bug), for a time limit, a stall, or what a person stopped.
[[nodiscard]] bool asks_for_retry(const RetryPolicy& policy, FailureCause cause);

/// Before the next attempt after `failed` ones: 1 s, 2 s, 4 s, ..., at most a minute. No chance in it.
[[nodiscard]] std::chrono::milliseconds backoff(std::uint32_t failed);

}  // namespace lowbit::exec
