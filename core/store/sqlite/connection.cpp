#include "store/sqlite/connection.h"

#include <sqlite3.h>

#include <cerrno>

#include "env/fault.h"

namespace lowbit::store {
namespace {

int last_errno(sqlite3_file* file) {
  int number = 0;
  if (file == nullptr || file->pMethods == nullptr) return 0;
  return file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK ? number : 0;
}

// The connection remembers errno after it has cleaned up, too late to tell a full disk; the files remember their own.
int errno_of(sqlite3* db, int primary_code) {
  if (primary_code == SQLITE_IOERR || primary_code == SQLITE_CORRUPT) {
    for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
      sqlite3_file* file = nullptr;
      sqlite3_file_control(db, "main", which, &file);
      const int number = last_errno(file);
      // SQLite calls a page that the disk does not give corrupt: the next read may give it.
      if (number != 0 && (primary_code == SQLITE_IOERR || number == EIO)) return number;
    }
  }
  const bool on_file = primary_code == SQLITE_IOERR || primary_code == SQLITE_CANTOPEN;
  return on_file ? sqlite3_system_errno(db) : 0;
}

}  // namespace

Cell json_cell(const Json& json) { return json.is_null() ? Cell(nullptr) : Cell(canonical(json)); }

Cell scalar_cell(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null: return nullptr;
    case Json::value_t::boolean: return std::int64_t{json.get<bool>()};
    case Json::value_t::number_integer: return json.get<std::int64_t>();
    case Json::value_t::number_float: return json.get<double>();
    case Json::value_t::string: return json.get<std::string>();
    case Json::value_t::number_unsigned:
      // SQL integers are signed: the few values above them keep all their digits as text.
      return json.get<std::uint64_t>() > INT64_MAX ? Cell(canonical(json)) : Cell(json.get<std::int64_t>());
    default: return canonical(json);
  }
}

std::string Rows::text(int column) const {
  const SQLite::Column cell = statement_.getColumn(column);
  return cell.isNull() ? std::string() : cell.getString();
}

Digest Rows::digest(int column) const {
  const std::string hex = text(column);
  const std::optional<Digest> digest = Digest::from_hex(hex);
  if (!digest) {
    throw Damage{"column " + std::string(statement_.getColumnName(column)) + " should hold a digest and holds `" + hex +
                 "`"};
  }
  return *digest;
}

void Rows::not_json(int column, const std::string& stored) const {
  throw Damage{"column " + std::string(statement_.getColumnName(column)) + " should hold JSON and holds `" +
               stored.substr(0, 60) + "`"};
}

Json Rows::json(int column) const {
  if (null(column)) return nullptr;
  const std::string stored = text(column);
  Json value = Json::parse(stored, nullptr, false);
  if (value.is_discarded()) not_json(column, stored);
  return value;
}

JsonText Rows::json_text(int column) const {
  if (null(column)) return {};
  std::string stored = text(column);
  if (!Json::accept(stored)) not_json(column, stored);
  return JsonText::of(std::move(stored));
}

Connection::Connection(const std::string& name, int flags, int busy_timeout_ms, std::filesystem::path shown)
    : file_(std::move(shown)), database_(name, flags, busy_timeout_ms) {}

SQLite::Statement& Connection::bound(const char* sql, std::initializer_list<Cell> cells) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    found = statements_.emplace(sql, SQLite::Statement(database_, sql)).first;
  }
  SQLite::Statement& statement = found->second;
  int index = 0;
  for (const Cell& c : cells) {
    ++index;
    if (std::holds_alternative<std::nullptr_t>(c)) {
      statement.bind(index);
    } else if (const auto* integer = std::get_if<std::int64_t>(&c)) {
      statement.bind(index, *integer);
    } else if (const auto* real = std::get_if<double>(&c)) {
      statement.bind(index, *real);
    } else {
      statement.bind(index, std::get<std::string>(c));
    }
  }
  return statement;
}

int Connection::run(const char* sql, std::initializer_list<Cell> cells) {
  Rows rows(bound(sql, cells));
  rows.next();
  return sqlite3_changes(database_.getHandle());
}

void Connection::next_commit_is(Commit commit) {
  if (commit == commits_) return;
  if (commit == Commit::unsynced) {
    Rows mode = query("PRAGMA journal_mode");
    if (!mode.next() || mode.text(0) != "wal") return;
  }
  database_.exec(commit == Commit::unsynced ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
  commits_ = commit;
}

Connection::Writing::~Writing() {
  if (open_) static_cast<void>(db_.database_.tryExec("ROLLBACK"));
}

Diagnostic Connection::problem(std::string_view doing, const SQLite::Exception& e) const {
  return sqlite_problem(file_, doing,
                        {.code = e.getExtendedErrorCode() > 0 ? e.getExtendedErrorCode() : e.getErrorCode(),
                         .system_errno = errno_of(database_.getHandle(), e.getErrorCode() & 0xFF),
                         .message = e.what()});
}

void Connection::pass_fault_point() {
  switch (env::fault_point()) {
    case 0: return;
    case ENOSPC: throw SQLite::Exception("database or disk is full", SQLITE_FULL);
    default: throw SQLite::Exception("disk I/O error", SQLITE_IOERR);
  }
}

}  // namespace lowbit::store
