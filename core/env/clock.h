// Wall-clock time for records. Durations are measured with std::chrono::steady_clock.
#pragma once

#include <string>

namespace lowbit::env {

/// RFC 3339 in UTC with milliseconds: `2026-03-01T12:00:00.123Z`.
[[nodiscard]] std::string utc_now();
/// `12:00:00` in local time, for terminal lines.
[[nodiscard]] std::string local_time_of_day();
/// 12 hexadecimal digits from the system's random source: unique names, never results.
[[nodiscard]] std::string fresh_nonce();

}  // namespace lowbit::env
