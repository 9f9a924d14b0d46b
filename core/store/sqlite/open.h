// results.db: the Store on SQLite (schemas/migrations, docs/results-schema.md).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/query_result.h"
#include "store/store.h"

namespace lowbit::store {

enum class Access {
  read_only,   ///< never blocks a writer; fails when there is no database
  read_write,  ///< creates and migrates; the caller holds the lease
};

/// The world outside the database, for tests.
struct OpenOptions {
  std::function<bool(const std::filesystem::path&)> exists;      ///< whether an artifact is there; empty: the disk
  std::function<bool(const std::filesystem::path&)> on_network;  ///< empty: on_network_file_system()
  std::chrono::milliseconds busy_timeout{10'000};                ///< how long to wait for another process's lock
};

/// `file` is `.lowbit/results.db`, or ":memory:"; its directory exists. A file on a local disk uses a write-ahead log,
/// on a network file system (store/sqlite/file_system.h) a rollback journal. LB60xx on a newer schema, a damaged file,
/// no permission.
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& file, Access access,
                                                         const OpenOptions& options = {});

/// LB6013 when `file` is missing or holds no page, and results lie beside it: a new database would take them for
/// leftovers.
[[nodiscard]] Result<void> check_not_lost(const std::filesystem::path& file);

/// Whether an earlier lowbit made the file, so that opening it for writing brings it up to date; no where that cannot
/// be told.
[[nodiscard]] bool is_of_older_schema(const std::filesystem::path& file);

/// Runs one reading statement for `lowbit query`. LB7001 when it would write, LB7002 when it is not SQL that fits the
/// tables, LB7003 when it is not exactly one statement.
[[nodiscard]] Result<QueryResult> query_sqlite(const std::filesystem::path& file, const std::string& sql);

/// What SQLite finds wrong with the file's structure and references, one line each; empty when it is sound. Reads all.
[[nodiscard]] Result<std::vector<std::string>> integrity_problems(const std::filesystem::path& file);

}  // namespace lowbit::store
