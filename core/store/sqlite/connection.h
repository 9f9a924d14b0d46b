// One SQLite connection: statements kept prepared, typed binding and reading, failures as diagnostics.
// Private to store/sqlite. Thread rule: one thread.
//
//   return db.guarded("reading attempts", [&]() -> Result<std::string> {
//     Rows rows = db.query("SELECT label FROM attempts WHERE attempt_id = ?", id);
//     return rows.next() ? rows.text(0) : std::string();
//   });
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <variant>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"
#include "env/fault.h"
#include "store/sqlite/problem.h"

namespace lowbit::store {

/// Inside `guarded`: a stored text is not what the schema says. Becomes LB6005.
struct Damage {
  std::string fact;
};

/// A cell to bind. Digests stand as hexadecimal text, NaN as null.
using Cell = std::variant<std::nullptr_t, std::int64_t, double, std::string>;

[[nodiscard]] inline Cell cell(const Digest& digest) { return digest.hex(); }
/// Canonical text; a null value is a null cell.
[[nodiscard]] Cell json_cell(const Json& json);
/// A scalar as SQL has it (booleans 0 and 1), anything else as JSON text.
[[nodiscard]] Cell scalar_cell(const Json& json);

/// The rows of a running statement. Resets it when it goes, so that no transaction stays open behind a reader.
class Rows {
 public:
  explicit Rows(SQLite::Statement& statement) : statement_(statement) {}
  ~Rows() { statement_.tryReset(); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next() { return statement_.executeStep(); }
  [[nodiscard]] bool null(int column) const { return statement_.isColumnNull(column); }
  [[nodiscard]] std::int64_t integer(int column) const { return statement_.getColumn(column).getInt64(); }
  [[nodiscard]] double real(int column) const { return statement_.getColumn(column).getDouble(); }
  /// Empty for null.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<std::string> text_if(int column) const {
    return null(column) ? std::nullopt : std::optional(text(column));
  }
  [[nodiscard]] std::optional<double> real_if(int column) const {
    return null(column) ? std::nullopt : std::optional(real(column));
  }
  [[nodiscard]] Digest digest(int column) const;
  /// Null for null.
  [[nodiscard]] Json json(int column) const;
  /// As it is stored, which is canonical text.
  [[nodiscard]] JsonText json_text(int column) const;

 private:
  [[noreturn]] void not_json(int column, const std::string& stored) const;

  SQLite::Statement& statement_;
};

class Connection {
 public:
  /// Throws SQLite::Exception: only for use inside a guard. `shown` is the name people know the file by.
  Connection(const std::string& name, int flags, int busy_timeout_ms, std::filesystem::path shown);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] SQLite::Database& database() { return database_; }

  /// `sql` is a literal: it names the prepared statement. Not reentrant for one `sql`. Throws inside a guard.
  template <class... Arguments>
  Rows query(const char* sql, const Arguments&... arguments) {
    return Rows(bound(sql, {Cell(arguments)...}));
  }
  /// Returns the number of rows changed.
  template <class... Arguments>
  int execute(const char* sql, const Arguments&... arguments) {
    return run(sql, {Cell(arguments)...});
  }
  [[nodiscard]] std::int64_t last_insert_id() const { return database_.getLastInsertRowid(); }

  /// Runs `body`, which returns a Result; what SQLite throws in it becomes a diagnostic.
  template <class Body>
  std::invoke_result_t<Body> guarded(std::string_view doing, Body&& body) {
    try {
      return body();
    } catch (const SQLite::Exception& e) {
      return problem(doing, e);
    } catch (const Damage& d) {
      return damaged(file_, d.fact);
    }
  }

  enum class Commit {
    synced,
    /// Where a write-ahead log keeps the file sound through a power cut all the same: what is committed may be gone
    /// after one, and goes to the disk with the next commit that is synced.
    unsynced
  };

  /// `body` in one writing transaction, which is stored only when the result is ok. A durable operation of
  /// env/fault.h.
  template <class Body>
  std::invoke_result_t<Body> transaction(std::string_view doing, Body&& body, Commit commit = Commit::synced) {
    return guarded(doing, [&]() -> std::invoke_result_t<Body> {
      next_commit_is(commit);
      Writing writing(*this);
      auto result = body();
      if (result.ok()) {
        pass_fault_point();
        writing.commit();
        env::fault_passed();
      }
      return result;
    });
  }

  [[nodiscard]] Diagnostic problem(std::string_view doing, const SQLite::Exception& e) const;

 private:
  SQLite::Statement& bound(const char* sql, std::initializer_list<Cell> cells);
  int run(const char* sql, std::initializer_list<Cell> cells);
  static void pass_fault_point();
  void next_commit_is(Commit commit);

  /// A writing transaction, rolled back unless it is committed. Its statements stay prepared.
  class Writing {
   public:
    explicit Writing(Connection& db) : db_(db) { db_.execute("BEGIN IMMEDIATE"); }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    ~Writing();
    void commit() {
      db_.execute("COMMIT");
      open_ = false;
    }

   private:
    Connection& db_;
    bool open_ = true;
  };

  std::filesystem::path file_;
  SQLite::Database database_;
  std::unordered_map<std::string_view, SQLite::Statement> statements_;
  Commit commits_ = Commit::synced;
};

}  // namespace lowbit::store
