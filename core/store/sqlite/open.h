// results.db: the Store on SQLite (schemas/migrations, docs/results-schema.md).
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "store/store.h"

namespace lowbit::store {

enum class Access {
  read_only,   ///< never blocks a writer; fails when there is no database
  read_write,  ///< creates and migrates; the caller holds the lease
};

/// `file` is `.lowbit/results.db`, or ":memory:". LB6xxx on a newer schema, a damaged file, no permission.
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& file, Access access);

/// Runs one read-only statement for `lowbit query`. Writing statements are refused (LB7xxx).
[[nodiscard]] Result<QueryResult> query_sqlite(const std::filesystem::path& file, const std::string& sql);

}  // namespace lowbit::store
