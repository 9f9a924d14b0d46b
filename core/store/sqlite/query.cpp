// `lowbit query`: one reading statement, written by a person.
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "store/sqlite/open.h"
#include "store/sqlite/open_connection.h"

namespace lowbit::store {
namespace {

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

constexpr std::array<std::string_view, 4> kReadingPragmas{"table_info", "table_xinfo", "table_list", "index_list"};

/// What SQLite says of a statement while it compiles, in words: the first thing it would change, and the first thing
/// that a connection for reading would allow and we do not.
struct Guard {
  std::string changed;
  std::string refused;

  static int ask(void* self, int action, const char* first, const char*, const char*, const char*) {
    auto& guard = *static_cast<Guard*>(self);
    const std::string name = first == nullptr ? "" : first;
    switch (action) {
      case SQLITE_INSERT: return guard.change("insert into " + name);
      case SQLITE_UPDATE: return guard.change("update " + name);
      case SQLITE_DELETE: return guard.change("delete from " + name);
      case SQLITE_ATTACH:
      case SQLITE_DETACH: return guard.refuse("attach or detach a file");
      case SQLITE_TRANSACTION:
      case SQLITE_SAVEPOINT: return guard.refuse("begin or end a transaction");
      case SQLITE_PRAGMA:
        if (std::find(kReadingPragmas.begin(), kReadingPragmas.end(), name) != kReadingPragmas.end()) return SQLITE_OK;
        return guard.refuse("use PRAGMA " + name);
      default: return SQLITE_OK;
    }
  }

 private:
  // Not refused yet: table functions (json_each) declare themselves by what looks like a change of the schema.
  int change(const std::string& what) {
    if (changed.empty()) changed = what;
    return SQLITE_OK;
  }
  int refuse(const std::string& what) {
    if (refused.empty()) refused = what;
    return SQLITE_DENY;
  }
};

/// `length` bytes at `offset` of the query, as a place to point at.
SourceSpan span_in(const std::string& sql, std::size_t offset, std::size_t length) {
  const auto line_start = offset == 0 ? 0 : sql.rfind('\n', offset - 1) + 1;  // npos + 1 == 0
  SourceSpan span;
  span.source = std::make_shared<const SourceText>(SourceText{"query", sql});
  span.line =
      1 + static_cast<std::size_t>(std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  span.column = offset - line_start + 1;
  span.length = length;
  return span;
}

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::size_t word_length(const std::string& sql, std::size_t offset) {
  const auto begin = sql.begin() + static_cast<std::ptrdiff_t>(offset);
  const auto end = std::find_if_not(begin, sql.end(), [](char c) { return in_word(c) || c == '.'; });
  return std::max<std::size_t>(static_cast<std::size_t>(end - begin), 1);
}

/// Where `word` stands alone in `sql`; npos when it does not.
std::size_t find_word(const std::string& sql, const std::string& word) {
  for (auto at = sql.find(word); at != std::string::npos; at = sql.find(word, at + 1)) {
    const bool begins = at == 0 || !in_word(sql[at - 1]);
    const bool ends = at + word.size() == sql.size() || !in_word(sql[at + word.size()]);
    if (begins && ends) return at;
  }
  return std::string::npos;
}

std::vector<std::string> names(Connection& db, const char* sql) {
  std::vector<std::string> out;
  Rows rows = db.query(sql);
  while (rows.next()) out.push_back(rows.text(0));
  return out;
}

/// What a missing name may have meant, as a statement; empty when nothing is near.
std::string suggestion(Connection& db, const std::string& message) {
  constexpr std::string_view kTable = "no such table: ";
  constexpr std::string_view kColumn = "no such column: ";
  const auto last_part = [&](std::string_view prefix) {
    const std::string name = message.substr(prefix.size());
    return name.substr(name.rfind('.') + 1);  // npos + 1 == 0
  };
  std::string similar;
  if (message.starts_with(kTable)) {
    similar = nearest(last_part(kTable), names(db, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"));
    if (!similar.empty()) return "a table or view with a similar name exists: `" + similar + "`";
  } else if (message.starts_with(kColumn)) {
    std::string places;
    Rows rows = db.query(
        "SELECT s.name FROM sqlite_schema s, pragma_table_info(s.name) p WHERE s.type IN ('table', 'view') AND p.name "
        "= ? "
        "ORDER BY s.type DESC, s.name",
        last_part(kColumn));
    for (; rows.next(); places += (places.empty() ? "" : ", ") + rows.text(0)) continue;
    if (!places.empty()) return "`" + last_part(kColumn) + "` is a column of " + places;
    similar =
        nearest(last_part(kColumn), names(db,
                                          "SELECT DISTINCT p.name FROM sqlite_schema s, pragma_table_info(s.name) "
                                          "p WHERE s.type IN ('table', 'view')"));
    if (!similar.empty()) return "a column with a similar name exists: `" + similar + "`";
  }
  return {};
}

Diagnostic not_understood(Connection& db, const std::string& sql, int offset) {
  const std::string message = sqlite3_errmsg(db.database().getHandle());
  Diagnostic d = error("LB7002", "the query cannot be answered: " + message);
  auto at = static_cast<std::size_t>(std::max(offset, 0));
  if (offset < 0) {  // SQLite does not say where it met an unknown table
    const std::string word = message.substr(message.rfind(' ') + 1);
    at = message.starts_with("no such ") ? find_word(sql, word) : std::string::npos;
  }
  if (at < sql.size()) d.at(span_in(sql, at, word_length(sql, at)));
  const std::string similar = suggestion(db, message);
  return d.fix(similar.empty() ? "tables, views and columns: `lowbit query \"SELECT name, sql FROM sqlite_schema\"` or "
                                 "docs/results-schema.md"
                               : similar);
}

Diagnostic only_reads(const std::string& refused) {
  return error("LB7001", "the query would write")
      .note("it would " + refused + "; `lowbit query` only reads")
      .fix("ask with SELECT; results are changed by running stages");
}

Diagnostic one_statement(const std::string& what) {
  return error("LB7003", what).fix("give exactly one SELECT statement");
}

std::optional<Json> cell_of(sqlite3_stmt* row, int column) {
  const auto bytes = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL: return std::nullopt;
    case SQLITE_INTEGER: return Json(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT: {
      const double value = sqlite3_column_double(row, column);
      if (std::isfinite(value)) return Json(value);
      return Json(value > 0 ? "inf" : "-inf");  // JSON has no infinity, SQLite no NaN
    }
    case SQLITE_BLOB: {
      const auto* data = static_cast<const unsigned char*>(sqlite3_column_blob(row, column));
      constexpr const char* kHex = "0123456789abcdef";
      std::string text = "x'";
      for (std::size_t i = 0; i < bytes; ++i) text += {kHex[data[i] >> 4U], kHex[data[i] & 0xFU]};
      return Json(text + "'");
    }
    default: return Json(std::string(reinterpret_cast<const char*>(sqlite3_column_text(row, column)), bytes));
  }
}

bool is_blank(const char* sql) {
  return std::all_of(sql, sql + std::char_traits<char>::length(sql),
                     [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0 || c == ';'; });
}

Result<QueryResult> run(Connection& db, const std::string& sql) {
  sqlite3* handle = db.database().getHandle();
  Guard guard;
  sqlite3_stmt* prepared = nullptr;
  const char* tail = nullptr;
  sqlite3_set_authorizer(handle, &Guard::ask, &guard);
  const int compiled = sqlite3_prepare_v2(handle, sql.c_str(), static_cast<int>(sql.size()) + 1, &prepared, &tail);
  const Statement statement(prepared, &sqlite3_finalize);
  const int offset = sqlite3_error_offset(handle);
  sqlite3_set_authorizer(handle, nullptr, nullptr);
  if (!guard.refused.empty()) return only_reads(guard.refused);
  if (compiled == SQLITE_ERROR) return not_understood(db, sql, offset);
  if (compiled != SQLITE_OK) throw SQLite::Exception(handle, compiled);
  if (!statement) return one_statement("the query is empty");
  if (!is_blank(tail)) {
    return one_statement("the query holds more than one statement")
        .at(span_in(sql, static_cast<std::size_t>(tail - sql.c_str()), 1));
  }
  if (sqlite3_stmt_readonly(statement.get()) == 0) {
    return only_reads(guard.changed.empty() ? "change the database" : guard.changed);
  }

  QueryResult table;
  const int width = sqlite3_column_count(statement.get());
  for (int c = 0; c < width; ++c) table.columns.emplace_back(sqlite3_column_name(statement.get(), c));
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(statement.get())) == SQLITE_ROW) {
    auto& row = table.rows.emplace_back();
    for (int c = 0; c < width; ++c) row.push_back(cell_of(statement.get(), c));
  }
  if (step == SQLITE_ERROR || step == SQLITE_TOOBIG || step == SQLITE_MISMATCH) return not_understood(db, sql, -1);
  if (step != SQLITE_DONE) throw SQLite::Exception(handle, step);
  return table;
}

}  // namespace

Result<QueryResult> query_sqlite(const std::filesystem::path& file, const std::string& sql) {
  LB_TRY_ASSIGN(const std::unique_ptr<Connection> db, open_connection(file, Access::read_only, {}));
  return db->guarded("answering a query", [&] { return run(*db, sql); });
}

}  // namespace lowbit::store
