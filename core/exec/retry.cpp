#include "exec/retry.h"

#include <algorithm>
#include <optional>

namespace lowbit::exec {
namespace {

std::optional<RetryCause> retry_cause(FailureCause cause) {
  switch (cause) {
    case FailureCause::resource: return RetryCause::resource;
    case FailureCause::preempted: return RetryCause::preempted;
    case FailureCause::transient: return RetryCause::transient;
    case FailureCause::stage:
    case FailureCause::timeout:
    case FailureCause::stalled:
    case FailureCause::cancelled: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

bool asks_for_retry(const RetryPolicy& policy, FailureCause cause) {
  const auto wanted = retry_cause(cause);
  return wanted && std::find(policy.on.begin(), policy.on.end(), *wanted) != policy.on.end();
}

std::chrono::milliseconds backoff(std::uint32_t failed) {
  constexpr std::chrono::milliseconds kFirst{1000};
  constexpr std::chrono::milliseconds kMost{60'000};
  const std::uint32_t doublings = std::min(failed == 0 ? 0 : failed - 1, 6U);
  return std::min(kFirst * (1U << doublings), kMost);
}

}  // namespace lowbit::exec
