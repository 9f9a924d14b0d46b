#include "store/sqlite/migrations.h"

#include "env/clock.h"
#include "migrations_text.h"
#include "store/sqlite/connection.h"

namespace lowbit::store {
namespace {

int user_version(Connection& db) { return db.database().execAndGet("PRAGMA user_version").getInt(); }

}  // namespace

const std::vector<Migration>& embedded_migrations() {
  using embedded::migrations_text::find_text;
  static const std::vector<Migration> all{{.version = 1, .sql = find_text("0001_initial.sql")},
                                          {.version = 2, .sql = find_text("0002_runs_say_more.sql")}};
  return all;
}

Result<SchemaState> schema_state(Connection& db, int newest) {
  constexpr const char* kDoing = "reading its schema";
  return db.guarded(kDoing, [&]() -> Result<SchemaState> {
    const std::int64_t id = db.database().execAndGet("PRAGMA application_id").getInt64();
    const int version = user_version(db);
    const bool empty = db.database().execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
    if (empty && version == 0 && id == 0) return SchemaState{};
    if (id != kApplicationId) {
      return not_ours(db.file(), "its application id is " + std::to_string(id) + " and should be " +
                                     std::to_string(kApplicationId));
    }
    if (version > newest) {
      return error("LB6003", "`" + db.file().string() + "` was made by a newer lowbit")
          .note("its schema version is " + std::to_string(version) + "; this lowbit knows versions up to " +
                std::to_string(newest))
          .fix("use the lowbit that made it, or a newer one");
    }
    return SchemaState{.version = version, .empty = empty};
  });
}

Result<void> migrate(Connection& db, const std::vector<Migration>& migrations) {
  LB_TRY_ASSIGN(const int stored, db.guarded("reading its version", [&]() -> Result<int> { return user_version(db); }));
  for (const Migration& step : migrations) {
    if (step.version <= stored) continue;  // without waiting for a writer
    const std::string doing = "migrating to schema version " + std::to_string(step.version);
    LB_TRY(db.transaction(doing, [&]() -> Result<void> {
      // Asked inside the transaction: another process may have just done this step.
      const int version = user_version(db);
      if (version >= step.version) return {};
      db.database().exec(std::string(step.sql));
      if (version == 0) {
        db.database().exec("PRAGMA application_id = " + std::to_string(kApplicationId));
        db.execute("INSERT INTO meta (key, value) VALUES ('about', ?)", "results of lowbit; docs/results-schema.md");
      }
      db.execute("INSERT INTO meta (key, value) VALUES (?, ?)",
                 "schema_version_" + std::to_string(step.version) + "_at", env::utc_now());
      db.database().exec("PRAGMA user_version = " + std::to_string(step.version));
      return {};
    }));
  }
  return {};
}

}  // namespace lowbit::store
