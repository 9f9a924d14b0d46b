// What a full disk, a missing permission, a lock, a cut or an edit does to a results.db: a diagnostic, never a crash,
// and what was stored stays.
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "component/store/fixture.h"
#include "env/fault.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace fs = std::filesystem;

namespace {

void fill(const fs::path& file, int n) {
  Writer writer(file);
  for (int i = 0; i < n; ++i) writer.publish(writer.publication("c" + std::to_string(i), "score"));
}

constexpr int kPages = 60;  // an empty database has fewer, one with a hundred results more

int limit_pages(sqlite3* db, const char**, const sqlite3_api_routines*) {
  return sqlite3_exec(db, ("PRAGMA max_page_count = " + std::to_string(kPages)).c_str(), nullptr, nullptr, nullptr);
}

/// While it lives, every connection of this process finds the disk full at kPages pages.
struct SmallDisk {
  SmallDisk() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(limit_pages)); }
  ~SmallDisk() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(limit_pages)); }
};

/// Publishes results of some kilobytes until the store refuses; returns the refusal.
std::string publish_until_refused(Writer& writer, const Directory& dir, int& stored) {
  for (stored = 0; stored < 1000; ++stored) {
    Publication p = writer.publication("c" + std::to_string(stored), "score");
    p.own_record = Json{{"note", std::string(8000, 'x')}};
    const auto result = writer.store().publish({p}, false);
    if (!result) return dir.text_of(result.error());
  }
  return "never refused";
}

/// Makes `dir` and its files read-only for this process, which gives up being root.
void lose_rights(const Directory& dir) {
  for (const auto& entry : fs::directory_iterator(dir.path())) ::chmod(entry.path().c_str(), 0444);
  ::chmod(dir.path().c_str(), 0555);
  if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(1);
}

}  // namespace

TEST_CASE("every cut of a database file is refused or opens as a whole earlier state", "[store][damage]") {
  const Directory dir;
  fill(dir.database(), 3);
  REQUIRE_FALSE(fs::exists(dir.path() / "results.db-wal"));
  const auto whole = fs::file_size(dir.database());
  const fs::path cut = dir.path() / "cut.db";
  std::size_t refused = 0;
  std::size_t step = GENERATE(0U, 1U);  // at page borders, and between them
  for (std::uintmax_t size = step * 700; size < whole; size += step == 0 ? 4096 : 1531) {
    fs::copy_file(dir.database(), cut, fs::copy_options::overwrite_existing);
    fs::resize_file(cut, size);
    INFO("cut to " << size << " of " << whole << " bytes");
    for (const Access access : {Access::read_only, Access::read_write}) {
      const auto store = open_sqlite(cut, access);
      if (size == 0) {
        CHECK(store.ok() == (access == Access::read_write));  // as a new one
        continue;
      }
      REQUIRE_FALSE(store);
      const std::string code = store.error().front().code;
      CHECK((code == "LB6004" || code == "LB6005"));
      ++refused;
    }
    fs::remove(dir.path() / "cut.db-wal");
    fs::remove(dir.path() / "cut.db-shm");
  }
  CHECK(refused > 30);
}

TEST_CASE("the refusal of a cut file says what is missing", "[store][damage]") {
  const Directory dir;
  fill(dir.database(), 1);
  const auto whole = fs::file_size(dir.database());
  fs::resize_file(dir.database(), whole - 100);
  CHECK(dir.error_of(open_sqlite(dir.database(), Access::read_write)) ==
        "error[LB6005]: `DIR/results.db` is damaged\n"
        " = note: it has " +
            std::to_string(whole - 100) + " bytes and should have " + std::to_string(whole) +
            "\n"
            " = help: `lowbit doctor --rebuild` makes it again from the published results, and keeps this file beside "
            "it\n");
}

TEST_CASE("every cut of the write-ahead log opens as a whole earlier state", "[store][damage]") {
  const Directory dir;
  Writer writer(dir.database());
  for (int i = 0; i < 6; ++i) {
    must(writer.store().publish(
        {writer.publication("x" + std::to_string(i), "score"), writer.publication("y" + std::to_string(i), "score")},
        false));
  }
  const fs::path log = dir.path() / "results.db-wal";
  const auto whole = fs::file_size(log);
  const fs::path cut = dir.path() / "cut.db";
  int last = 0;
  for (std::uintmax_t size = 0; size <= whole; size += size + 2999 > whole && size < whole ? whole - size : 2999) {
    fs::copy_file(dir.database(), cut, fs::copy_options::overwrite_existing);
    fs::copy_file(log, dir.path() / "cut.db-wal", fs::copy_options::overwrite_existing);
    fs::resize_file(dir.path() / "cut.db-wal", size);
    INFO("log cut to " << size << " of " << whole << " bytes");
    { must(open_sqlite(cut, Access::read_write)); }
    CHECK(must(integrity_problems(cut)).empty());
    const int results = std::stoi(ask(cut, "SELECT count(*) FROM results"));
    CHECK(results % 2 == 0);  // never half a group
    CHECK(results >= last);
    CHECK(ask(cut,
              "SELECT count(*) FROM results LEFT JOIN metrics USING (result_id) LEFT JOIN artifacts USING "
              "(result_id) WHERE value IS NULL OR digest IS NULL") == "0\n");
    last = results;
    fs::remove(cut);
  }
  CHECK(last == 12);
}

TEST_CASE("every cut of a database that a write-ahead log follows is refused or opens whole", "[store][damage]") {
  const Directory dir;
  fill(dir.database(), 30);
  Writer writer(dir.database());  // while it is open, the log stays
  writer.publish(writer.publication("more", "score"));
  const fs::path cut = dir.path() / "cut.db";
  const auto whole = fs::file_size(dir.database());
  const std::string rows =
      "SELECT content_key, value, digest, path FROM results JOIN metrics USING (result_id) JOIN artifacts USING "
      "(result_id) ORDER BY 1";
  const std::string expected = ask(dir.database(), rows);
  int refused = 0;
  for (std::uintmax_t size = 0; size <= whole; size += size + 3011 > whole && size < whole ? whole - size : 3011) {
    fs::copy_file(dir.database(), cut, fs::copy_options::overwrite_existing);
    fs::copy_file(dir.path() / "results.db-wal", dir.path() / "cut.db-wal", fs::copy_options::overwrite_existing);
    fs::resize_file(cut, size);
    fs::remove(dir.path() / "cut.db-shm");
    INFO("cut to " << size << " of " << whole << " bytes");
    const auto store = open_sqlite(cut, Access::read_only);
    if (size == 0) {
      CHECK_FALSE(store);
    } else if (store) {
      CHECK(ask(cut, rows) == expected);
    } else {
      const std::string code = store.error().front().code;
      CHECK((code == "LB6004" || code == "LB6005"));
      ++refused;
    }
  }
  CHECK(refused > 10);
  CHECK(open_sqlite(cut, Access::read_only).ok());  // the last one was not cut
}

TEST_CASE("a full disk refuses the transaction and keeps what was stored", "[store][damage]") {
  const Directory dir;
  int stored = 0;
  {
    const SmallDisk disk;
    Writer writer(dir.database());
    CHECK(publish_until_refused(writer, dir, stored) ==
          "error[LB6006]: no space left for `DIR/results.db`\n"
          " = note: while storing the result of 1 attempt: database or disk is full\n"
          " = note: nothing of this step was stored; what was stored before is intact\n"
          " = help: free space on that disk, or raise the quota, then give the same command again\n");
    CHECK(stored > 0);
    CHECK(writer.store().by_content_key(sha256("c0")));  // still answers
  }
  CHECK(ask(dir.database(), "SELECT count(*) FROM results") == std::to_string(stored) + "\n");
  CHECK(must(integrity_problems(dir.database())).empty());
  Writer again(dir.database());  // space was made
  again.publish(again.publication("c" + std::to_string(stored), "score"));
}

TEST_CASE("a quota is a full disk", "[store][damage]") {
  const Directory dir;
  const std::string refusal = in_child([&]() -> std::string {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 400'000, .rlim_max = 400'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto store = open_sqlite(dir.database(), Access::read_write);
    if (!store) return dir.text_of(store.error());
    if (const auto lease = (*store)->take_lease("h", "b", 1); !lease) return dir.text_of(lease.error());
    for (int i = 0; i < 10'000; ++i) {
      const auto run = (*store)->begin_run({.experiment = "e", .file = std::string(1000, 'x'), .command = "c"});
      if (!run) return dir.text_of(run.error());
    }
    return "never refused";
  });
  CHECK(refusal ==
        "error[LB6006]: no space left for `DIR/results.db`\n"
        " = note: while recording a run: disk I/O error\n"
        " = note: nothing of this step was stored; what was stored before is intact\n"
        " = help: free space on that disk, or raise the quota, then give the same command again\n");
  CHECK(must(integrity_problems(dir.database())).empty());
}

TEST_CASE("the fault injection reaches the commits of the store", "[store][damage]") {
  const Directory dir;
  fill(dir.database(), 1);
  const std::string refusal = in_child([&]() -> std::string {
    ::setenv("LOWBIT_FAULT", "enospc:1", 1);
    env::set_fault_role(env::ProcessRole::host);
    auto store = open_sqlite(dir.database(), Access::read_write);
    if (!store) return dir.text_of(store.error());
    const auto lease = (*store)->take_lease("h", "b", 1);
    return lease ? "taken" : dir.text_of(lease.error());
  });
  CHECK(refusal ==
        "error[LB6006]: no space left for `DIR/results.db`\n"
        " = note: while taking the lease: database or disk is full\n"
        " = note: nothing of this step was stored; what was stored before is intact\n"
        " = help: free space on that disk, or raise the quota, then give the same command again\n");
  CHECK(ask(dir.database(), "SELECT epoch FROM lease") == "1\n");
}

TEST_CASE("without permission to write, opening for writing is refused", "[store][damage]") {
  const Directory dir;
  const std::string help =
      " = help: make the file and its directory readable and writable for this user, then give the same command "
      "again\n";
  const auto open_without_rights = [&] {
    return in_child([&]() -> std::string {
      lose_rights(dir);
      const auto store = open_sqlite(dir.database(), Access::read_write);
      return store ? "opened" : dir.text_of(store.error());
    });
  };
  CHECK(open_without_rights() ==
        "error[LB6007]: access to `DIR/results.db` was denied\n"
        " = note: while opening it: unable to open database file\n" +
            help);
  fs::permissions(dir.path(), fs::perms::owner_all);
  { const Writer first(dir.database()); }  // with a write-ahead log
  CHECK(open_without_rights() ==
        "error[LB6007]: access to `DIR/results.db` was denied\n"
        " = note: while reading its schema: attempt to write a readonly database\n" +
            help);
  fs::permissions(dir.path(), fs::perms::owner_all);
  fs::permissions(dir.database(), fs::perms::owner_read | fs::perms::owner_write);
  OpenOptions network;
  network.on_network = [](const fs::path&) { return true; };
  { const Writer second(dir.database(), network); }  // with a rollback journal
  CHECK(open_without_rights() ==
        "error[LB6007]: access to `DIR/results.db` was denied\n"
        " = note: it can only be read\n" +
            help);
}

TEST_CASE("a project in a directory without write permission can be read", "[store][damage]") {
  const Directory dir;
  fill(dir.database(), 2);
  CHECK(in_child([&]() -> std::string {
          lose_rights(dir);
          const auto table = query_sqlite(dir.database(), "SELECT count(*) FROM results");
          return table ? canonical(*table->rows.at(0).at(0)) : dir.text_of(table.error());
        }) == "2");
}

TEST_CASE("a lock that another process keeps is named after the time to wait", "[store][damage]") {
  const Directory dir;
  fill(dir.database(), 1);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(dir.database().c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  OpenOptions impatient;
  impatient.busy_timeout = std::chrono::milliseconds(1);
  const auto store = must(open_sqlite(dir.database(), Access::read_write, impatient));
  CHECK(dir.error_of(store->take_lease("h", "b", 1)) ==
        "error[LB6008]: `DIR/results.db` is locked by another process\n"
        " = note: while taking the lease: database is locked\n"
        " = note: nothing of this step was stored\n"
        " = help: end the program that holds it open, or wait for it, then give the same command again\n");
  sqlite3_close(other);
  must(store->take_lease("h", "b", 1));
}

TEST_CASE("memory that SQLite cannot get is a diagnostic", "[store][damage]") {
  const Directory dir;
  Writer writer(dir.database());
  const sqlite3_int64 unlimited = sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1000);
  const std::string refusal =
      dir.error_of(writer.store().record_expansion({.experiment = "e", .file = std::string(100'000, 'x')}, {}));
  sqlite3_hard_heap_limit64(unlimited);
  CHECK(refusal ==
        "error[LB6009]: cannot go on with `DIR/results.db`\n"
        " = note: while recording the expansion of e: out of memory (SQLite error 7)\n"
        " = help: check the disk and the memory of this machine, then give the same command again\n");
}

TEST_CASE("a lookup that fails is not taken for an answer", "[store][damage]") {
  const Directory dir;
  Writer writer(dir.database());
  writer.publish(writer.publication("c", "score"));
  meddle(dir.database(), "UPDATE results SET content_record = '{half'");
  CHECK_FALSE(writer.store().by_provenance_key(sha256("p:c")));
  const std::string damage =
      "error[LB6005]: `DIR/results.db` is damaged\n"
      " = note: column content_record should hold JSON and holds `{half`\n"
      " = help: `lowbit doctor --rebuild` makes it again from the published results, and keeps this file beside it\n";
  CHECK(dir.error_of(writer.store().lookup_state()) == damage);
  CHECK(dir.error_of(writer.store().begin_run({.experiment = "e", .file = "f", .command = "c"})) == damage);
}

TEST_CASE("a digest that is none is damage", "[store][damage]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("a", {}, "a")}));
  meddle(dir.database(), "UPDATE expansions SET provenance_key = 'xyz'");
  CHECK(
      dir.error_of(writer.store().expansion("study")) ==
      "error[LB6005]: `DIR/results.db` is damaged\n"
      " = note: column provenance_key should hold a digest and holds `xyz`\n"
      " = help: `lowbit doctor --rebuild` makes it again from the published results, and keeps this file beside it\n");
}

TEST_CASE("integrity problems are listed one a line", "[store][damage]") {
  const Directory dir;
  fill(dir.database(), 1);
  CHECK(must(integrity_problems(dir.database())).empty());
  meddle(dir.database(), "DELETE FROM attempts");
  CHECK(must(integrity_problems(dir.database())) ==
        std::vector<std::string>{"a row of results refers to a row of attempts that is not there"});
}
