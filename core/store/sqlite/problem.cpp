#include "store/sqlite/problem.h"

#include <sqlite3.h>

#include <cerrno>

namespace lowbit::store {
namespace {

constexpr const char* kSameCommand = "then give the same command again";

bool is_out_of_space(const SqliteFailure& f) {
  const int e = f.system_errno;
  return (f.code & 0xFF) == SQLITE_FULL || e == ENOSPC || e == EDQUOT || e == EFBIG;
}

bool is_denied(const SqliteFailure& f) {
  const int primary = f.code & 0xFF;
  return primary == SQLITE_READONLY || primary == SQLITE_PERM || f.system_errno == EACCES || f.system_errno == EPERM ||
         f.system_errno == EROFS;
}

std::string quoted(const std::filesystem::path& file) { return "`" + file.string() + "`"; }

}  // namespace

Diagnostic damaged(const std::filesystem::path& file, const std::string& fact) {
  return error("LB6005", quoted(file) + " is damaged")
      .note(fact)
      .fix("`lowbit doctor --rebuild` makes it again from the published results, and keeps this file beside it");
}

Diagnostic not_ours(const std::filesystem::path& file, const std::string& fact) {
  return error("LB6004", quoted(file) + " is not a results database of lowbit")
      .note(fact)
      .fix(
          "if it was one, `lowbit doctor --rebuild` makes it again from the published results; otherwise move this "
          "file "
          "away, or use another directory");
}

Diagnostic no_access(const std::filesystem::path& file, const std::string& fact) {
  return error("LB6007", "access to " + quoted(file) + " was denied")
      .note(fact)
      .fix("make the file and its directory readable and writable for this user, " + std::string(kSameCommand));
}

Diagnostic contradiction(std::string_view doing, const std::string& fact) {
  return error("LB6011", "a record was refused while " + std::string(doing))
      .note(fact)
      .note("nothing of this step was stored")
      .fix("this is a mistake in lowbit: please report it with this text");
}

Diagnostic sqlite_problem(const std::filesystem::path& file, std::string_view doing, const SqliteFailure& failure) {
  const std::string said = "while " + std::string(doing) + ": " + failure.message;
  if (is_out_of_space(failure)) {
    return error("LB6006", "no space left for " + quoted(file))
        .note(said)
        .note("nothing of this step was stored; what was stored before is intact")
        .fix("free space on that disk, or raise the quota, " + std::string(kSameCommand));
  }
  if (is_denied(failure)) return no_access(file, said);
  const bool unread = (failure.code & 0xFF) == SQLITE_CORRUPT && failure.system_errno == EIO;
  switch (unread ? SQLITE_IOERR : failure.code & 0xFF) {
    case SQLITE_CANTOPEN:
      return error("LB6001", "cannot open " + quoted(file))
          .note(said)
          .fix("check that its directory exists and that it is a file, " + std::string(kSameCommand));
    case SQLITE_NOTADB: return not_ours(file, said);
    case SQLITE_ERROR:  // a statement of ours did not compile: the tables are not those of the schema version
    case SQLITE_CORRUPT: return damaged(file, said);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return error("LB6008", quoted(file) + " is locked by another process")
          .note(said)
          .note("nothing of this step was stored")
          .fix("end the program that holds it open, or wait for it, " + std::string(kSameCommand));
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return contradiction(doing, failure.message);
    default:
      return error("LB6009", "cannot go on with " + quoted(file))
          .note(said + " (SQLite error " + std::to_string(failure.code) + ")")
          .fix("check the disk and the memory of this machine, " + std::string(kSameCommand));
  }
}

}  // namespace lowbit::store
