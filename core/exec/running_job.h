// One execution of a content key, from its start until it is published or has failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exec/journal.h"
#include "exec/new_attempt.h"
#include "exec/progress_watch.h"
#include "exec/publish.h"
#include "exec/recover.h"
#include "exec/resource_pool.h"
#include "exec/snapshot.h"

namespace lowbit::exec {

struct RunningJob {
  std::int64_t attempt_id = 0;
  std::string label;
  AttemptPaths paths;
  PublishContext context;
  std::string nonce;
  Lease lease;
  JournalTail tail;
  ProgressWatch watch;
  bool fail_on_stall = false;
  bool brief = false;
  std::optional<std::string> stalled;  ///< it was ended for that; what to say
  Json progress = nullptr;             ///< its last word
  std::vector<std::string> warnings;   ///< once it has ended well
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();

  [[nodiscard]] const Digest& content_key() const { return context.content.digest; }
  /// From now on it runs as this variant, and is watched as the variant asks.
  void run_as(const graph::Variant& variant, std::chrono::steady_clock::time_point now);
  /// The first few of its warnings, a line each, and how many more there are.
  [[nodiscard]] std::vector<std::string> warning_lines() const;
  [[nodiscard]] JobNow now(std::chrono::steady_clock::time_point present) const;
};

[[nodiscard]] RunningJob job_of(NewAttempt attempt, Lease lease, const graph::Variant& variant,
                                std::chrono::steady_clock::time_point now);
/// It has what its attempt says until its lock is free, whether a variant of this graph needs its result or not.
[[nodiscard]] RunningJob job_of(const Adopted& adopted, ResourcePool& pool, std::chrono::steady_clock::time_point now);

/// What is said of a job that was ended because it stood still: `said` is how long, and where.
[[nodiscard]] Failure stall_failure(const std::string& label, const std::string& said);

}  // namespace lowbit::exec
