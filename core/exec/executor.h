// The only way to start work. A job belongs to its attempt directory, not to the executor: what the executor says is
// a wake-up, what counts is what the directory holds (exec/publish.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "exec/attempt_files.h"

namespace lowbit::exec {

class Executor {
 public:
  using OnEnd = std::function<void()>;
  virtual ~Executor() = default;

  /// Starts the job of an attempt whose attempt.json is written. `environment`: "NAME=value" entries, all it sees.
  /// `on_end` is called once, on the loop's thread, when no process of the attempt is left to wait for.
  [[nodiscard]] virtual Result<void> start(const JobRequest& request, const AttemptPaths& attempt,
                                           const std::vector<std::string>& environment, OnEnd on_end) = 0;
  /// Waits for a job that another host started and that still runs.
  virtual void adopt(const JobRequest& request, const AttemptPaths& attempt, OnEnd on_end) = 0;
  /// Asks a job to stop; its end is told as usual.
  virtual void cancel(const std::string& attempt) = 0;
};

}  // namespace lowbit::exec
