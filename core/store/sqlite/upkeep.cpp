// What checking, clearing and rebuilding a project ask of its database.
#include "store/sqlite/sqlite_store.h"

namespace lowbit::store {

Result<std::map<Digest, Digest>> SqliteStore::links_of(const std::string& experiment) const {
  return db_->guarded("reading where an expansion leads", [&]() -> Result<std::map<Digest, Digest>> {
    std::map<Digest, Digest> links;
    Rows rows = db_->query(
        "SELECT p.provenance_key, p.content_key FROM expansions e JOIN provenance p USING (provenance_key) "
        "JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 WHERE e.experiment = ?",
        experiment);
    while (rows.next()) links.emplace(rows.digest(0), rows.digest(1));
    return links;
  });
}

Result<std::vector<std::int64_t>> SqliteStore::restore_attempts(std::int64_t run,
                                                                const std::vector<FoundAttempt>& found) {
  return write("recording attempts that were found", [&]() -> Result<std::vector<std::int64_t>> {
    std::vector<std::int64_t> ids;
    for (const auto& [attempt, provenance_key] : found) {
      const bool is_free =
          attempt.id > 0 && !db_->query("SELECT 1 FROM attempts WHERE attempt_id = ?", attempt.id).next();
      Cell id = nullptr;
      if (is_free) id = attempt.id;
      db_->execute(
          "INSERT INTO attempts (attempt_id, run_id, content_key, provenance_key, number, nonce, directory, label, "
          "state, started_at, environment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
          id, run, cell(attempt.content_key), cell(provenance_key), attempt.number, attempt.nonce, attempt.directory,
          attempt.stage_label, attempt.started_at, json_cell(attempt.environment));
      ids.push_back(db_->last_insert_id());
    }
    return ids;
  });
}

Result<std::vector<StoredResult>> SqliteStore::stored_results() const {
  return db_->guarded("listing results", [&]() -> Result<std::vector<StoredResult>> {
    const SQLite::Transaction one_moment(db_->database());
    std::vector<StoredResult> results;
    std::map<std::int64_t, std::size_t> place;
    Rows rows = db_->query(
        "SELECT r.result_id, r.content_key, r.is_current, a.label, r.directory, r.seconds FROM results r "
        "JOIN attempts a USING (attempt_id) ORDER BY r.result_id");
    while (rows.next()) {
      place.emplace(rows.integer(0), results.size());
      results.push_back({.id = rows.integer(0),
                         .content_key = rows.digest(1),
                         .current = rows.integer(2) == 1,
                         .label = rows.text(3),
                         .directory = rows.text(4),
                         .seconds = rows.real(5),
                         .outputs = {}});
    }
    Rows outputs = db_->query("SELECT result_id, port, type, digest, path, bytes FROM artifacts ORDER BY 1, 2");
    while (outputs.next()) {
      results.at(place.at(outputs.integer(0)))
          .outputs.push_back({.port = outputs.text(1),
                              .artifact = {.type = outputs.text(2), .digest = outputs.digest(3)},
                              .path = outputs.text(4),
                              .bytes = static_cast<std::uint64_t>(outputs.integer(5)),
                              .bases = {},
                              .summary = {}});
    }
    Rows bases = db_->query("SELECT result_id, port, base FROM artifact_bases ORDER BY result_id, port, position");
    while (bases.next()) {
      for (PublishedOutput& output : results.at(place.at(bases.integer(0))).outputs) {
        if (output.port == bases.text(1)) output.bases.push_back(bases.digest(2));
      }
    }
    return results;
  });
}

Result<void> SqliteStore::forget(const std::vector<std::int64_t>& results) { return forget(results, {}); }

Result<void> SqliteStore::forget(const std::vector<std::int64_t>& results,
                                 const std::vector<std::string>& experiments) {
  return write("forgetting results", [&]() -> Result<void> {
    for (const std::string& name : experiments) db_->execute("DELETE FROM experiments WHERE experiment = ?", name);
    for (const std::int64_t result : results) db_->execute("DELETE FROM results WHERE result_id = ?", result);
    db_->execute("DELETE FROM provenance WHERE content_key NOT IN (SELECT content_key FROM results)");
    return {};
  });
}

}  // namespace lowbit::store
