#include "exec/retry.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using exec::FailureCause;
using namespace std::chrono_literals;

TEST_CASE("each cause is retried only when it was asked for, and a stage's own failure never", "[exec][retry]") {
  const RetryPolicy all{.attempts = 9, .on = {RetryCause::resource, RetryCause::preempted, RetryCause::transient}};
  for (const FailureCause cause : {FailureCause::resource, FailureCause::preempted, FailureCause::transient}) {
    CHECK(exec::asks_for_retry(all, cause));
    CHECK_FALSE(exec::asks_for_retry({.attempts = 9, .on = {}}, cause));
  }
  for (const FailureCause cause :
       {FailureCause::stage, FailureCause::timeout, FailureCause::stalled, FailureCause::cancelled}) {
    CHECK_FALSE(exec::asks_for_retry(all, cause));
  }
  const RetryPolicy transient{.attempts = 9, .on = {RetryCause::transient}};
  CHECK(exec::asks_for_retry(transient, FailureCause::transient));
  CHECK_FALSE(exec::asks_for_retry(transient, FailureCause::resource));
  CHECK_FALSE(exec::asks_for_retry({.attempts = 9, .on = {RetryCause::resource}}, FailureCause::transient));
}

TEST_CASE("the wait before another attempt doubles up to a minute", "[exec][retry]") {
  std::vector<std::chrono::milliseconds> waits;
  for (std::uint32_t failed = 1; failed <= 9; ++failed) waits.push_back(exec::backoff(failed));
  CHECK(waits == std::vector<std::chrono::milliseconds>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s});
  CHECK(exec::backoff(4'000'000'000U) == 60s);
}
