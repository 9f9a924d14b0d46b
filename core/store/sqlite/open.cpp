#include "store/sqlite/open.h"

#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <set>
#include <string_view>

#include "env/files.h"
#include "store/sqlite/file_system.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/open_connection.h"
#include "store/sqlite/sqlite_store.h"

namespace lowbit::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMemory = ":memory:";
// SQLite's own 2 MiB hold a small part of the keys of a hundred thousand results. In KiB.
constexpr const char* kPageCache = "PRAGMA cache_size = -8192";

bool has_bytes(const fs::path& path, std::uintmax_t at_least) {
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(path, failed);
  return !failed && size >= at_least;
}

bool has_content(const fs::path& path) { return has_bytes(path, 1); }

fs::path beside(const fs::path& file, const char* suffix) { return fs::path(file).concat(suffix); }

bool is_access_problem(const Diagnostic& d) { return d.code == "LB6001" || d.code == "LB6007"; }

// A URI that says: nobody writes here.
std::string immutable_uri(const fs::path& file) {
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr const char* kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kHex[byte >> 4U], kHex[byte & 0xFU]};
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

// 0, or why the system refuses the file or, when it is still to be made, its directory.
int refusal(const fs::path& file, bool writing) {
  const bool present = env::exists(file);
  const fs::path target = present ? file : file.has_parent_path() ? file.parent_path() : fs::path(".");
  return ::access(target.c_str(), writing ? R_OK | W_OK : R_OK) == 0 ? 0 : errno;
}

Result<std::unique_ptr<Connection>> connect(const std::string& name, int flags, const fs::path& file,
                                            const OpenOptions& options) {
  try {
    return std::make_unique<Connection>(name, flags, static_cast<int>(options.busy_timeout.count()), file);
  } catch (const SQLite::Exception& e) {
    return sqlite_problem(file, "opening it",
                          {.code = e.getErrorCode(),
                           .system_errno = refusal(file, (flags & SQLITE_OPEN_READWRITE) != 0),
                           .message = e.what()});
  }
}

/// The pages that a write-ahead log holds a version of (https://www.sqlite.org/fileformat.html, section 4).
std::set<std::int64_t> pages_in(std::string_view log, std::int64_t page_bytes) {
  constexpr std::size_t kLogHeader = 32;
  constexpr std::size_t kFrameHeader = 24;
  const std::size_t frame_bytes = kFrameHeader + static_cast<std::size_t>(page_bytes);
  std::set<std::int64_t> pages;
  for (std::size_t at = kLogHeader; at + frame_bytes <= log.size(); at += frame_bytes) {
    std::int64_t page = 0;
    for (std::size_t i = 0; i < 4; ++i) page = page << 8U | static_cast<unsigned char>(log[at + i]);
    pages.insert(page);
  }
  return pages;
}

// SQLite takes what a file is too short for as zeros. Every page must stand in the file, or in the log that follows it:
// a host that was killed while it copied the log left a file that is shorter than it says.
Result<void> check_length(Connection& db) {
  return db.guarded("reading its length", [&]() -> Result<void> {
    const std::int64_t pages = db.database().execAndGet("PRAGMA page_count").getInt64();
    const std::int64_t page_bytes = db.database().execAndGet("PRAGMA page_size").getInt64();
    std::error_code failed;
    const auto bytes = static_cast<std::int64_t>(fs::file_size(db.file(), failed));
    if (failed || bytes >= pages * page_bytes || has_content(beside(db.file(), "-journal"))) return {};
    if (has_content(beside(db.file(), "-wal"))) {
      LB_TRY_ASSIGN(const std::string log, env::read_file(beside(db.file(), "-wal")));
      const std::set<std::int64_t> logged = pages_in(log, page_bytes);
      std::int64_t page = bytes / page_bytes + 1;
      while (page <= pages && logged.contains(page)) ++page;
      if (page > pages) return {};
    }
    return damaged(db.file(),
                   "it has " + std::to_string(bytes) + " bytes and should have " + std::to_string(pages * page_bytes));
  });
}

Result<void> prepare_writing(Connection& db, bool on_network) {
  return db.guarded("preparing it for writing", [&]() -> Result<void> {
    SQLite::Database& database = db.database();
    if (sqlite3_db_readonly(database.getHandle(), "main") == 1) return no_access(db.file(), "it can only be read");
    database.exec(on_network ? "PRAGMA journal_mode = DELETE" : "PRAGMA journal_mode = WAL");
    database.exec(kPageCache);
    database.exec("PRAGMA locking_mode = NORMAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    return {};
  });
}

Result<std::unique_ptr<Connection>> open_for_writing(const fs::path& file, const OpenOptions& options) {
  const int newest = embedded_migrations().back().version;
  LB_TRY_ASSIGN(std::unique_ptr<Connection> db,
                connect(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, file, options));
  const bool in_memory = file == kMemory;
  const bool on_network = !in_memory && (options.on_network ? options.on_network(file) : on_network_file_system(file));
  if (on_network) {  // a write-ahead log left from a local disk is folded in without shared memory
    LB_TRY(db->guarded("locking it", [&]() -> Result<void> {
      db->database().exec("PRAGMA locking_mode = EXCLUSIVE");
      return {};
    }));
  }
  LB_TRY(schema_state(*db, newest));
  if (!in_memory) LB_TRY(check_length(*db));
  LB_TRY(prepare_writing(*db, on_network));
  LB_TRY(migrate(*db, embedded_migrations()));
  return db;
}

bool has_results(const fs::path& file) {
  const auto shelves = env::list_directory(file.parent_path() / "results");
  if (!shelves.ok()) return false;
  for (const fs::path& shelf : *shelves) {
    const auto results = env::list_directory(shelf);
    if (!results.ok()) continue;
    for (const fs::path& result : *results) {
      if (env::exists(result / "manifest.json")) return true;
    }
  }
  return false;
}

Diagnostics nothing_there(const fs::path& file) {
  if (const auto found = check_not_lost(file); !found.ok()) return found.error();
  return {error("LB6002", "there is no results database at `" + file.string() + "`")
              .note("it is made by the first run")
              .fix("run an experiment in this directory first: `lowbit run experiment.yaml`")};
}

/// The schema version that the file itself names, without its log (SQLite's file format, 1.3); the newest where it is
/// no database.
int version_in_header(const fs::path& file) {
  constexpr std::size_t kVersionAt = 60;
  std::array<char, kVersionAt + 4> header{};
  std::ifstream in(file, std::ios::binary);
  if (!in.read(header.data(), header.size())) return embedded_migrations().back().version;
  std::uint32_t version = 0;
  for (std::size_t i = kVersionAt; i < header.size(); ++i) {
    version = (version << 8U) | static_cast<unsigned char>(header.at(i));
  }
  return static_cast<int>(version);
}

Result<std::unique_ptr<Connection>> open_for_reading(const fs::path& file, const OpenOptions& options) {
  const int newest = embedded_migrations().back().version;
  if (!env::exists(file)) return nothing_there(file);
  LB_TRY_ASSIGN(std::unique_ptr<Connection> db, connect(file.string(), SQLITE_OPEN_READONLY, file, options));
  Result<SchemaState> state = schema_state(*db, newest);
  const bool at_rest = !has_content(beside(file, "-wal")) && !has_content(beside(file, "-journal"));
  if (!state && is_access_problem(state.error().front()) && at_rest) {
    // Its directory may not be written to, which a reader of a write-ahead log has to.
    LB_TRY_ASSIGN(db, connect(immutable_uri(file), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, file, options));
    state = schema_state(*db, newest);
  }
  LB_TRY(state);
  if (state->empty) return nothing_there(file);
  LB_TRY(check_length(*db));
  if (state->version < newest) {
    return error("LB6012", "`" + file.string() + "` was made by an older lowbit")
        .note("its schema version is " + std::to_string(state->version) + " and this lowbit reads version " +
              std::to_string(newest))
        .fix(
            "the next command brings it up to date when no other process holds the project and the file can be "
            "written");
  }
  LB_TRY(db->guarded("preparing it for reading", [&]() -> Result<void> {
    db->database().exec(kPageCache);
    db->database().exec("PRAGMA query_only = 1");
    return {};
  }));
  return db;
}

}  // namespace

Result<void> check_not_lost(const fs::path& file) {
  constexpr std::uintmax_t kSmallestPage = 512;  // SQLite takes what is shorter for a database that is yet to be made
  if (has_bytes(file, kSmallestPage) || !has_results(file)) return {};
  return error("LB6013", "the database `" + file.string() + "` is gone, and results are there")
      .note("results lie in `" + (file.parent_path() / "results").string() + "`")
      .fix("`lowbit doctor --rebuild` makes the database again from them; to start anew, move that directory away");
}

bool is_of_older_schema(const fs::path& file) {
  // A connection leaves a log and its index beside the file: it is asked only where the header is of an older version.
  if (version_in_header(file) >= embedded_migrations().back().version) return false;
  const auto db = open_for_reading(file, {});
  return !db.ok() && db.error().front().code == "LB6012";
}

Result<std::unique_ptr<Connection>> open_connection(const fs::path& file, Access access, const OpenOptions& options) {
  return access == Access::read_only ? open_for_reading(file, options) : open_for_writing(file, options);
}

Result<std::unique_ptr<Store>> open_sqlite(const fs::path& file, Access access, const OpenOptions& options) {
  LB_TRY_ASSIGN(std::unique_ptr<Connection> db, open_connection(file, access, options));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(
      std::move(db), file.parent_path(),
      options.exists ? options.exists : [](const fs::path& p) { return env::exists(p); }));
}

}  // namespace lowbit::store
