// Tells a job that is slow from one that hangs, by what it reports. Pure: the caller says what time it is.
//
// A job moves when its position (done, total, unit) changes, when it commits a checkpoint and when it reports a curve
// point; a record that repeats the position shows that the process lives, not that it gets on. A job that has never
// reported a position is never called stalled: it may be made so.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/json.h"

namespace lowbit::exec {

class ProgressWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Without a limit of the author: this long, and five times the longest pause so far.
  static constexpr std::chrono::minutes kPatience{10};

  /// `limit` 0: the author set none.
  ProgressWatch(std::chrono::milliseconds limit, Time now) : limit_(limit), moved_(now) {}

  /// Takes the next record of the job's journal.
  void hear(const Json& record, Time now);
  /// How long the job has not moved, when that is longer than its limit; once for each pause.
  [[nodiscard]] std::optional<std::chrono::milliseconds> stalled(Time now);
  /// "12 of 40 blocks"; empty: it reported none.
  [[nodiscard]] std::string position() const;
  /// Units a second, from the first position to the last one; 0 as long as there is no way between them.
  [[nodiscard]] double speed() const;

 private:
  void move(Time now);
  void note_done(const Json& done, Time now);

  std::chrono::milliseconds limit_;
  std::chrono::steady_clock::duration longest_pause_{0};
  Time moved_;
  Json position_;
  double first_done_ = 0;
  double last_done_ = 0;
  Time first_at_{};
  Time last_at_{};
  bool told_ = false;
};

/// "12 of 40 blocks" from a progress record.
[[nodiscard]] std::string position_text(const Json& progress);

}  // namespace lowbit::exec
