// SQLite's failures in lowbit's words (docs/errors.md, LB60xx).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace lowbit::store {

/// What SQLite said. `system_errno` is 0 when the system was not the cause.
struct SqliteFailure {
  int code = 0;  ///< primary or extended result code
  int system_errno = 0;
  std::string message;
};

/// `doing` is a gerund phrase: "storing the results of 3 attempts".
[[nodiscard]] Diagnostic sqlite_problem(const std::filesystem::path& file, std::string_view doing,
                                        const SqliteFailure& failure);

[[nodiscard]] Diagnostic damaged(const std::filesystem::path& file, const std::string& fact);
[[nodiscard]] Diagnostic not_ours(const std::filesystem::path& file, const std::string& fact);
[[nodiscard]] Diagnostic no_access(const std::filesystem::path& file, const std::string& fact);
/// What was to be stored contradicts what is stored.
[[nodiscard]] Diagnostic contradiction(std::string_view doing, const std::string& fact);

}  // namespace lowbit::store
