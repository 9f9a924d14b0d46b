#include "store/sqlite/migrations.h"

#include <fstream>

#include "component/store/fixture.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/file_system.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

/// Byte 18 of a SQLite file: 1 with a rollback journal, 2 with a write-ahead log.
int journal_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(18);
  return in.get();
}

}  // namespace

TEST_CASE("a new database has the newest schema and says that it is lowbit's", "[store]") {
  const Directory dir;
  must(open_sqlite(dir.database(), Access::read_write));
  CHECK(ask(dir.database(), "SELECT user_version, application_id FROM pragma_user_version, pragma_application_id") ==
        "2,1819244386\n");
  CHECK(ask(dir.database(), "SELECT value FROM meta WHERE key = 'about'") ==
        "results of lowbit; docs/results-schema.md\n");
  CHECK(must(integrity_problems(dir.database())).empty());
}

TEST_CASE("every migration of the source tree is compiled in, numbered without gaps", "[store]") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LOWBIT_SOURCE_DIR "/schemas/migrations")) {
    if (entry.path().extension() == ".sql") ++files;
  }
  const std::vector<Migration>& all = embedded_migrations();
  REQUIRE(all.size() == files);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].version == static_cast<int>(i) + 1);
    CHECK_FALSE(all[i].sql.empty());
  }
}

TEST_CASE("opening again keeps what was stored", "[store]") {
  const Directory dir;
  { const Writer first(dir.database()); }
  const auto store = must(open_sqlite(dir.database(), Access::read_write));
  CHECK(ask(dir.database(), "SELECT count(*) FROM runs") == "1\n");
  CHECK(must(store->current_lease())->host == "host-a");
}

TEST_CASE("a database of every earlier schema version is brought up to date and shows what it showed", "[store]") {
  const int newest = embedded_migrations().back().version;
  int met = 0;
  for (int version = 1; version <= newest; ++version) {
    INFO("schema version " << version);
    const std::string number = std::to_string(version);
    const std::filesystem::path text = std::filesystem::path(LOWBIT_SOURCE_DIR "/tests/component/store/schemas") /
                                       (std::string(4 - number.size(), '0') + number + ".sql");
    if (version == newest && !std::filesystem::exists(text)) continue;  // written when the next version comes
    std::ifstream in(text);
    const std::string sql((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    REQUIRE_FALSE(sql.empty());
    const Directory dir;
    meddle(dir.database(), sql);
    const auto store = must(open_sqlite(dir.database(), Access::read_write));
    CHECK(ask(dir.database(), "SELECT user_version FROM pragma_user_version") == std::to_string(newest) + "\n");
    CHECK(must(integrity_problems(dir.database())).empty());
    CHECK(ask(dir.database(), "SELECT label, metric, value, std_error, count FROM v_results ORDER BY 1") ==
          "score[seed=0],toy/accuracy,0.5,0.1,4\nscore[seed=1],toy/accuracy,0.75,0.1,4\n");
    CHECK(ask(dir.database(), "SELECT stage, mean, std, n FROM v_agg") == "score,0.625,0.1767766952966369,2\n");
    CHECK(ask(dir.database(), "SELECT label, state, attempt, seconds FROM v_stages") ==
          "model,done,1,1.5\nscore[seed=0],done,1,1.5\nscore[seed=1],done,1,1.5\n");
    CHECK(ask(dir.database(), "SELECT label_a, item_id FROM v_flips ORDER BY 1, 2") ==
          "score[seed=0],item-0\nscore[seed=0],item-1\nscore[seed=1],item-0\nscore[seed=1],item-1\n");
    CHECK(ask(dir.database(), "SELECT label, item_id, type FROM v_verdicts") ==
          "score[seed=0],item-0,computational_error\n");
    CHECK(must(store->current_lease())->epoch == 3);
    CHECK(must(store->stored_results()).at(0).outputs.at(0).bases == std::vector{sha256("base")});
    CHECK(must(store->expansion("study")).size() == 3);
    CHECK(must(store->take_lease("host-b", "boot-b", 1)).epoch == 4);
    ++met;
  }
  CHECK(met > 0);
}

TEST_CASE("a migration that fails leaves the version before it, whole", "[store]") {
  const Directory dir;
  Connection db(dir.database().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 0, dir.database());
  std::vector<Migration> steps = embedded_migrations();
  const int next = steps.back().version + 1;
  steps.push_back({.version = next, .sql = "CREATE TABLE half (x INTEGER); INSERT INTO nowhere VALUES (1)"});
  CHECK(
      dir.error_of(migrate(db, steps)) ==
      "error[LB6005]: `DIR/results.db` is damaged\n"
      " = note: while migrating to schema version 3: no such table: nowhere\n"
      " = help: `lowbit doctor --rebuild` makes it again from the published results, and keeps this file beside it\n");
  CHECK(must(schema_state(db, next)).version == next - 1);
  CHECK(db.database().tableExists("runs"));
  CHECK_FALSE(db.database().tableExists("half"));

  steps.back().sql = "CREATE TABLE whole (x INTEGER)";
  must(migrate(db, steps));
  CHECK(must(schema_state(db, next)).version == next);
  CHECK(db.database().tableExists("whole"));
}

TEST_CASE("a database of a newer lowbit is refused and left as it is", "[store]") {
  const Directory dir;
  must(open_sqlite(dir.database(), Access::read_write));
  meddle(dir.database(), "PRAGMA user_version = 7");
  const std::string refused =
      "error[LB6003]: `DIR/results.db` was made by a newer lowbit\n"
      " = note: its schema version is 7; this lowbit knows versions up to 2\n"
      " = help: use the lowbit that made it, or a newer one\n";
  CHECK(dir.error_of(open_sqlite(dir.database(), Access::read_write)) == refused);
  CHECK(dir.error_of(open_sqlite(dir.database(), Access::read_only)) == refused);
  CHECK(dir.error_of(query_sqlite(dir.database(), "SELECT 1")) == refused);
}

TEST_CASE("a reader does not migrate: an older database is named as such", "[store]") {
  const Directory dir;
  meddle(dir.database(),
         "PRAGMA application_id = " + std::to_string(kApplicationId) + "; CREATE TABLE old (x INTEGER)");
  CHECK(dir.error_of(open_sqlite(dir.database(), Access::read_only)) ==
        "error[LB6012]: `DIR/results.db` was made by an older lowbit\n"
        " = note: its schema version is 0 and this lowbit reads version 2\n"
        " = help: the next command brings it up to date when no other process holds the project and the file can be "
        "written\n");
  must(open_sqlite(dir.database(), Access::read_write));
  must(open_sqlite(dir.database(), Access::read_only));
}

TEST_CASE("another program's database and a file that is none are refused and left as they are", "[store]") {
  const Directory dir;
  meddle(dir.database(), "CREATE TABLE theirs (x INTEGER)");
  const std::string help =
      " = help: if it was one, `lowbit doctor --rebuild` makes it again from the published results; otherwise move "
      "this "
      "file away, or use another directory\n";
  CHECK(dir.error_of(open_sqlite(dir.database(), Access::read_write)) ==
        "error[LB6004]: `DIR/results.db` is not a results database of lowbit\n"
        " = note: its application id is 0 and should be 1819244386\n" +
            help);
  CHECK(journal_of(dir.database()) == 1);

  std::ofstream(dir.path() / "text.db") << std::string(5000, 'x');
  CHECK(dir.error_of(open_sqlite(dir.path() / "text.db", Access::read_write)) ==
        "error[LB6004]: `DIR/text.db` is not a results database of lowbit\n"
        " = note: while reading its schema: file is not a database\n" +
            help);
}

TEST_CASE("a reader of a project without results is told to run something", "[store]") {
  const Directory dir;
  const std::string expected =
      "error[LB6002]: there is no results database at `DIR/results.db`\n"
      " = note: it is made by the first run\n"
      " = help: run an experiment in this directory first: `lowbit run experiment.yaml`\n";
  CHECK(dir.error_of(open_sqlite(dir.database(), Access::read_only)) == expected);
  CHECK_FALSE(std::filesystem::exists(dir.database()));
  std::ofstream(dir.database()).close();  // a first run that was killed at once
  CHECK(dir.error_of(query_sqlite(dir.database(), "SELECT 1")) == expected);
}

TEST_CASE("a database in a directory that is missing cannot be opened", "[store]") {
  const Directory dir;
  CHECK(dir.error_of(open_sqlite(dir.path() / "missing" / "results.db", Access::read_write)) ==
        "error[LB6001]: cannot open `DIR/missing/results.db`\n"
        " = note: while opening it: unable to open database file\n"
        " = help: check that its directory exists and that it is a file, then give the same command again\n");
}

TEST_CASE("a local disk gets a write-ahead log, a network file system a rollback journal", "[store]") {
  const Directory dir;
  OpenOptions network;
  network.on_network = [](const std::filesystem::path&) { return true; };
  OpenOptions local;
  local.on_network = [](const std::filesystem::path&) { return false; };

  { const Writer first(dir.database(), local); }
  CHECK(journal_of(dir.database()) == 2);
  { const Writer first(dir.database(), network); }  // a project that moved
  CHECK(journal_of(dir.database()) == 1);
  CHECK(ask(dir.database(), "SELECT count(*) FROM runs") == "2\n");

  Writer writer(dir.database(), network);
  writer.publish(writer.publication("c", "score"));
  CHECK_FALSE(std::filesystem::exists(dir.path() / "results.db-wal"));
  CHECK(ask(dir.database(), "SELECT count(*) FROM results") == "1\n");  // readers are let in between writes
}

TEST_CASE("network file systems are known by their statfs numbers", "[store]") {
  for (const std::uint32_t shared : {0x6969U, 0xFF534D42U, 0xFE534D42U, 0x65735546U, 0x0BD00BD0U, 0x47504653U}) {
    CHECK(is_network_file_system(shared));
  }
  const std::uint32_t ext4 = 0xEF53;
  const std::uint32_t tmpfs = 0x01021994;
  const std::uint32_t xfs = 0x58465342;
  const std::uint32_t overlay = 0x794C7630;
  for (const std::uint32_t local : {ext4, tmpfs, xfs, overlay}) CHECK_FALSE(is_network_file_system(local));
  CHECK_FALSE(on_network_file_system("/proc/self/status"));
}

TEST_CASE("a store in memory needs no file", "[store]") {
  Writer writer(":memory:");
  writer.publish(writer.publication("c", "score"));
  CHECK(writer.store().by_content_key(sha256("c")));
}
