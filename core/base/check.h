// A broken invariant is our mistake, not the user's: say where and stop.
#pragma once

namespace lowbit::detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

/// Stays on in release builds.
#define LB_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::lowbit::detail::check_failed(#condition, __FILE__, __LINE__))
