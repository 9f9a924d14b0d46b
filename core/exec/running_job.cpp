#include "exec/running_job.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace lowbit::exec {
namespace {

using namespace std::chrono_literals;

/// Attempts of an older lowbit say no more than how many threads they use.
Grant lease_of(const JobRequest& request) {
  return request.lease.is_object() ? grant_of(request.lease) : Grant{.cpus = request.threads};
}

/// Of what a plugin wrote, for a line of its own.
std::string first_line(const std::string& text) {
  constexpr std::size_t kLongest = 300;  // bytes
  const std::string_view line = utf8_prefix(std::string_view(text).substr(0, text.find('\n')), kLongest);
  return line.size() == text.size() ? text : std::string(line) + " …";
}

}  // namespace

void RunningJob::run_as(const graph::Variant& variant, std::chrono::steady_clock::time_point now) {
  label = variant.label();
  watch = ProgressWatch(variant.resources.stall, now);
  fail_on_stall = variant.resources.fail_on_stall;
}

// All of them stay in its log: `lowbit logs`.
std::vector<std::string> RunningJob::warning_lines() const {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < std::min(kShown, warnings.size()); ++i) {
    lines.push_back("warning: " + first_line(warnings[i]));
  }
  if (const std::size_t n = warnings.size(); n > kShown) {
    lines.push_back("warning: " + std::to_string(n - kShown) + " more, see `lowbit logs '" + label + "'`");
  }
  return lines;
}

JobNow RunningJob::now(std::chrono::steady_clock::time_point present) const {
  const Grant& grant = lease.grant();
  JobNow one{.label = label,
             .also_for = {},
             .seconds = std::chrono::duration<double>(present - since).count(),
             .progress = progress,
             .cpus = grant.cpus,
             .gpus = {},
             .memory_bytes = grant.memory_bytes,
             .rates = grant.rates,
             .speed = watch.speed()};
  for (const GpuGrant& gpu : grant.gpus) one.gpus.push_back(gpu.id);
  return one;
}

RunningJob job_of(NewAttempt attempt, Lease lease, const graph::Variant& variant,
                  std::chrono::steady_clock::time_point now) {
  return {.attempt_id = attempt.context.attempt_id,
          .label = attempt.request.stage_label,
          .paths = attempt.paths,
          .context = std::move(attempt.context),
          .nonce = attempt.request.attempt,
          .lease = std::move(lease),
          .tail = JournalTail(attempt.paths.journal()),
          .watch = ProgressWatch(variant.resources.stall, now),
          .fail_on_stall = variant.resources.fail_on_stall,
          .brief = attempt.request.brief,
          .stalled = {}};
}

RunningJob job_of(const Adopted& adopted, ResourcePool& pool, std::chrono::steady_clock::time_point now) {
  return {.attempt_id = adopted.row.id,
          .label = adopted.row.stage_label,
          .paths = adopted.paths,
          .context = adopted.context,
          .nonce = adopted.row.nonce,
          .lease = pool.take_over(lease_of(adopted.request)),
          .tail = JournalTail(adopted.paths.journal()),
          .watch = ProgressWatch(0ms, now),
          .stalled = {}};
}

Failure stall_failure(const std::string& label, const std::string& said) {
  return {FailureCause::stalled, "the job stopped making progress", label, said,
          "see `lowbit logs '" + label + "'`; raise `resources.stall` if it only needs longer"};
}

}  // namespace lowbit::exec
