// Times of the database as other tools count them. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace lowbit::interchange {

/// Seconds since 1970 of "2026-11-23T16:58:10.206Z"; empty for what is no such time.
[[nodiscard]] std::optional<double> epoch_seconds(std::string_view rfc3339_utc);

}  // namespace lowbit::interchange
