#include "store/sqlite/sqlite_store.h"

#include "env/clock.h"

namespace lowbit::store {
namespace {

std::optional<Lease> read_lease(Connection& db) {
  Rows rows = db.query("SELECT epoch, host, boot_id, pid FROM lease");
  if (!rows.next()) return std::nullopt;
  return Lease{.epoch = rows.integer(0), .host = rows.text(1), .boot_id = rows.text(2), .pid = rows.integer(3)};
}

constexpr const char* kAttemptsRunning =
    "SELECT attempt_id, content_key, number, nonce, directory, label, state, started_at, ended_at, environment, "
    "failure, seconds FROM attempts WHERE state = 1 ORDER BY attempt_id DESC";
constexpr const char* kAttemptsOfKey =
    "SELECT attempt_id, content_key, number, nonce, directory, label, state, started_at, ended_at, environment, "
    "failure, seconds FROM attempts WHERE content_key = ? ORDER BY attempt_id DESC";

std::vector<Attempt> read_attempts(Rows rows) {
  std::vector<Attempt> attempts;
  while (rows.next()) {
    Attempt a;
    a.id = rows.integer(0);
    a.content_key = rows.digest(1);
    a.number = rows.integer(2);
    a.nonce = rows.text(3);
    a.directory = rows.text(4);
    a.stage_label = rows.text(5);
    a.state = static_cast<AttemptState>(rows.integer(6));
    a.started_at = rows.text(7);
    a.ended_at = rows.text(8);
    a.environment = rows.json(9);
    a.failure = rows.json(10);
    if (!rows.null(11)) a.seconds = rows.real(11);
    attempts.push_back(std::move(a));
  }
  return attempts;
}

void insert_expansion_row(Connection& db, const std::string& experiment, std::int64_t position,
                          const ExpansionRow& row) {
  db.execute(
      "INSERT INTO expansions (experiment, position, stage, label, coordinates, plugin, provenance_key, "
      "provenance_record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      experiment, position, row.stage, stage_label(row.stage, row.coordinates), canonical(row.coordinates.to_json()),
      row.plugin_id, cell(row.provenance_key), row.provenance_record.text());
  const std::int64_t id = db.last_insert_id();
  std::int64_t axis = 0;
  for (const auto& [name, value] : row.coordinates.entries()) {
    db.execute("INSERT INTO expansion_axes (expansion_id, axis, position, value) VALUES (?, ?, ?, ?)", id, name, axis++,
               scalar_cell(value));
  }
}

/// Whether the database says all of this already: most runs find their experiment as they left it.
bool is_recorded(Connection& db, const ExpandedFrom& from, const std::vector<ExpansionRow>& rows) {
  {
    Rows known = db.query("SELECT file, options, text FROM experiments WHERE experiment = ?", from.experiment);
    if (!known.next() || known.text(0) != from.file || known.text(1) != from.options || known.text(2) != from.text) {
      return false;
    }
  }
  Rows known = db.query(
      "SELECT stage, coordinates, plugin, provenance_key FROM expansions WHERE experiment = ? ORDER BY position",
      from.experiment);
  for (const ExpansionRow& row : rows) {
    if (!known.next() || known.text(3) != row.provenance_key.hex() || known.text(0) != row.stage ||
        known.text(2) != row.plugin_id || known.text(1) != canonical(row.coordinates.to_json())) {
      return false;
    }
  }
  return !known.next();
}

}  // namespace

Result<void> SqliteStore::check_lease(std::string_view doing) {
  const std::optional<Lease> current = read_lease(*db_);
  if (epoch_ && current && current->epoch == *epoch_) return {};
  Diagnostic refused = error("LB6010", "another process holds this project now");
  if (current) {
    refused.note("lease " + std::to_string(current->epoch) + " was taken by process " + std::to_string(current->pid) +
                 " on " + current->host);
  }
  refused.note(epoch_ ? "this process has lease " + std::to_string(*epoch_) : "this process has no lease");
  return refused.note("nothing was stored while " + std::string(doing))
      .fix("wait until the other process has ended, then give the same command again");
}

Result<Lease> SqliteStore::take_lease(const std::string& host, const std::string& boot_id, std::int64_t pid) {
  Result<Lease> taken = db_->transaction("taking the lease", [&]() -> Result<Lease> {
    const std::optional<Lease> last = read_lease(*db_);
    const Lease lease{.epoch = last ? last->epoch + 1 : 1, .host = host, .boot_id = boot_id, .pid = pid};
    db_->execute("INSERT OR REPLACE INTO lease (one, epoch, host, boot_id, pid, taken_at) VALUES (1, ?, ?, ?, ?, ?)",
                 lease.epoch, host, boot_id, pid, env::utc_now());
    return lease;
  });
  if (taken) epoch_ = taken->epoch;
  return taken;
}

Result<std::optional<Lease>> SqliteStore::current_lease() const {
  return db_->guarded("reading the lease", [&]() -> Result<std::optional<Lease>> { return read_lease(*db_); });
}

Result<std::int64_t> SqliteStore::begin_run(const NewRun& run) {
  return write("recording a run", [&]() -> Result<std::int64_t> {
    db_->execute(
        "INSERT INTO runs (experiment, file, command, versions, builds, host, epoch, started_at) VALUES (?, ?, ?, ?, "
        "?, "
        "nullif(?, ''), ?, ?)",
        run.experiment, run.file, run.command, canonical(run.versions), canonical(run.builds), run.host, *epoch_,
        env::utc_now());
    return db_->last_insert_id();
  });
}

Result<void> SqliteStore::end_run(std::int64_t run, const std::string& outcome) {
  constexpr const char* kDoing = "recording the end of a run";
  return write(kDoing, [&]() -> Result<void> {
    if (db_->execute("UPDATE runs SET ended_at = ?, outcome = ? WHERE run_id = ?", env::utc_now(), outcome, run) == 0) {
      return contradiction(kDoing, "there is no run " + std::to_string(run));
    }
    return {};
  });
}

Result<void> SqliteStore::record_expansion(const ExpandedFrom& from, const std::vector<ExpansionRow>& rows) {
  return write("recording the expansion of " + from.experiment, [&]() -> Result<void> {
    if (is_recorded(*db_, from, rows)) return {};
    db_->execute("DELETE FROM experiments WHERE experiment = ?", from.experiment);
    db_->execute(
        "INSERT INTO experiments (experiment, file, expanded_at, options, text) VALUES (?, ?, ?, ?, nullif(?, ''))",
        from.experiment, from.file, env::utc_now(), from.options, from.text);
    std::int64_t position = 0;
    for (const ExpansionRow& row : rows) insert_expansion_row(*db_, from.experiment, position++, row);
    return {};
  });
}

Result<std::int64_t> SqliteStore::begin_attempt(std::int64_t run, const Attempt& attempt) {
  const std::string doing = "recording an attempt at " + attempt.stage_label;
  const auto insert = [&]() -> Result<std::int64_t> {
    db_->execute(
        "INSERT INTO attempts (run_id, content_key, number, nonce, directory, label, state, started_at, environment, "
        "provenance_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, coalesce(?9, "
        "(SELECT e.provenance_key FROM expansions e JOIN runs USING (experiment) WHERE run_id = ?1 AND label = ?6)))",
        run, cell(attempt.content_key), attempt.number, attempt.nonce, attempt.directory, attempt.stage_label,
        attempt.started_at.empty() ? env::utc_now() : attempt.started_at, json_cell(attempt.environment),
        attempt.provenance_key ? cell(*attempt.provenance_key) : Cell());
    return db_->last_insert_id();
  };
  // Its job does not outlive the machine: after a power cut it is as if it had not been started.
  return write(doing, insert, Connection::Commit::unsynced);
}

Result<void> SqliteStore::end_attempt(std::int64_t attempt, AttemptState state, const Json& failure, double seconds) {
  constexpr const char* kDoing = "recording the end of an attempt";
  return write(kDoing, [&]() -> Result<void> {
    const auto number = static_cast<std::int64_t>(state);
    const int changed = db_->execute(
        "UPDATE attempts SET state = ?, failure = ?, seconds = ?, ended_at = ? WHERE attempt_id = ? AND state = 1",
        number, json_cell(failure), seconds, env::utc_now(), attempt);
    if (changed == 1) return {};
    Rows ended = db_->query("SELECT state FROM attempts WHERE attempt_id = ?", attempt);
    if (!ended.next()) return contradiction(kDoing, "there is no attempt " + std::to_string(attempt));
    if (ended.integer(0) == number) return {};
    return contradiction(kDoing, "attempt " + std::to_string(attempt) + " has already ended in state " +
                                     std::to_string(ended.integer(0)) + ", not " + std::to_string(number));
  });
}

Result<std::vector<Attempt>> SqliteStore::running_attempts() const {
  return db_->guarded("reading attempts",
                      [&]() -> Result<std::vector<Attempt>> { return read_attempts(db_->query(kAttemptsRunning)); });
}

Result<std::vector<Attempt>> SqliteStore::attempts_of(const Digest& content_key) const {
  return db_->guarded("reading attempts", [&]() -> Result<std::vector<Attempt>> {
    return read_attempts(db_->query(kAttemptsOfKey, cell(content_key)));
  });
}

Result<void> SqliteStore::remember_external(const ExternalDigest& digest) {
  return write("recording the digest of an external file", [&]() -> Result<void> {
    db_->execute("INSERT OR REPLACE INTO external_digests (path, fingerprint, digest) VALUES (?, ?, ?)", digest.path,
                 digest.fingerprint, cell(digest.digest));
    return {};
  });
}

}  // namespace lowbit::store
