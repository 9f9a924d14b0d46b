// Questions about what is stored.
#include "store/sqlite/metric_rows.h"
#include "store/sqlite/sqlite_store.h"

namespace lowbit::store {

// Columns from `first`: port, type, digest, path.
void SqliteStore::add_output(StageResult& result, const Rows& row, int first) const {
  ArtifactRef& artifact = result.outputs[row.text(first)];
  artifact = {.type = row.text(first + 1), .digest = row.digest(first + 2)};
  last_paths_[artifact.digest] = row.text(first + 3);
}

// Columns: result_id, content_key, plugin_digest.
StageResult SqliteStore::read_result(Rows& row) const {
  StageResult result;
  result.id = row.integer(0);
  result.content_key = row.digest(1);
  result.plugin_digest = row.digest(2);
  last_paths_.clear();
  Rows outputs = db_->query("SELECT port, type, digest, path FROM artifacts WHERE result_id = ?", result.id);
  while (outputs.next()) add_output(result, outputs, 0);
  return result;
}

Result<std::optional<StageResult>> SqliteStore::find_current(const Digest& content_key) const {
  // One statement: a plan asks this of each of its variants.
  Rows rows = db_->query(
      "SELECT r.result_id, r.plugin_digest, a.port, a.type, a.digest, a.path FROM results r LEFT JOIN artifacts a "
      "USING "
      "(result_id) WHERE r.content_key = ? AND r.is_current = 1",
      cell(content_key));
  if (!rows.next()) return std::optional<StageResult>();
  StageResult result;
  result.id = rows.integer(0);
  result.content_key = content_key;
  result.plugin_digest = rows.digest(1);
  last_paths_.clear();
  do {
    if (!rows.null(2)) add_output(result, rows, 2);
  } while (rows.next());
  return std::optional<StageResult>(std::move(result));
}

std::optional<StageResult> SqliteStore::by_content_key(const Digest& key) const {
  return look_up<StageResult>("looking up a result", [&] { return find_current(key); });
}

std::optional<StageResult> SqliteStore::by_provenance_key(const Digest& key) const {
  return look_up<StageResult>("looking up a result", [&]() -> Result<std::optional<StageResult>> {
    Rows rows = db_->query(
        "SELECT r.result_id, r.content_key, r.plugin_digest, r.content_record FROM provenance p "
        "JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 WHERE p.provenance_key = ?",
        cell(key));
    if (!rows.next()) return std::optional<StageResult>();
    StageResult result = read_result(rows);
    result.content_record = rows.json_text(3);
    return std::optional<StageResult>(std::move(result));
  });
}

std::optional<Digest> SqliteStore::link_of(const Digest& provenance_key) const {
  return look_up<Digest>("looking up where a key leads", [&]() -> Result<std::optional<Digest>> {
    Rows rows = db_->query("SELECT content_key FROM provenance WHERE provenance_key = ?", cell(provenance_key));
    return rows.next() ? std::optional(rows.digest(0)) : std::nullopt;
  });
}

std::vector<MetricRow> SqliteStore::metrics_of(const StageResult& result) const {
  return look_up<std::vector<MetricRow>>("looking up metrics",
                                         [&]() -> Result<std::optional<std::vector<MetricRow>>> {
                                           return std::optional(store::metrics_of(*db_, result.id));
                                         })
      .value_or(std::vector<MetricRow>());
}

bool SqliteStore::has_own_record(const Digest& own) const {
  return look_up<bool>("looking up a recipe",
                       [&]() -> Result<std::optional<bool>> {
                         Rows rows = db_->query("SELECT 1 FROM results WHERE own_digest = ? LIMIT 1", cell(own));
                         return std::optional<bool>(rows.next());
                       })
      .value_or(false);
}

std::optional<JsonText> SqliteStore::last_record(const std::string& experiment, const std::string& stage,
                                                 const Coordinates& coordinates) const {
  return look_up<JsonText>("looking up the last expansion", [&]() -> Result<std::optional<JsonText>> {
    Rows rows =
        db_->query("SELECT provenance_record FROM expansions WHERE experiment = ? AND stage = ? AND coordinates = ?",
                   experiment, stage, canonical(coordinates.to_json()));
    if (!rows.next()) return std::optional<JsonText>();
    return std::optional<JsonText>(rows.json_text(0));
  });
}

bool SqliteStore::artifact_present(const Digest& digest) const {
  if (const auto path = last_paths_.find(digest); path != last_paths_.end() && exists_(directory_ / path->second)) {
    return true;
  }
  return look_up<bool>("looking up an artifact",
                       [&]() -> Result<std::optional<bool>> {
                         Rows rows = db_->query("SELECT path FROM artifacts WHERE digest = ?", cell(digest));
                         while (rows.next()) {
                           if (exists_(directory_ / rows.text(0))) return std::optional<bool>(true);
                         }
                         return std::optional<bool>(false);
                       })
      .value_or(false);
}

// A transaction that only reads: without one every question locks the file and looks for the end of the log.
void SqliteStore::at_one_moment(const std::function<void()>& asking) const {
  const auto tell = [&](const char* what) {
    (void)look_up<bool>("reading at one moment", [&]() -> Result<std::optional<bool>> {
      db_->execute(what);
      return std::optional(true);
    });
  };
  tell("BEGIN");
  asking();
  tell("ROLLBACK");
}

Result<void> SqliteStore::lookup_state() const {
  if (lookup_problem_) return *lookup_problem_;
  return {};
}

// Several results may hold the same bytes: one whose files are there is preferred, then a current one.
Result<std::optional<ArtifactLocation>> SqliteStore::locate(const Digest& artifact) const {
  return db_->guarded("locating an artifact", [&]() -> Result<std::optional<ArtifactLocation>> {
    std::optional<ArtifactLocation> location;
    std::int64_t result = 0;
    std::string port;
    {
      Rows rows = db_->query(
          "SELECT a.type, a.path, a.result_id, a.port FROM artifacts a JOIN results r USING (result_id) "
          "WHERE a.digest = ? ORDER BY r.is_current DESC, a.result_id",
          cell(artifact));
      while (rows.next()) {
        const bool present = exists_(directory_ / rows.text(1));
        if (location && !present) continue;
        location = ArtifactLocation{.type = rows.text(0), .digest = artifact, .path = rows.text(1), .bases = {}};
        result = rows.integer(2);
        port = rows.text(3);
        if (present) break;
      }
    }
    if (!location) return location;
    Rows bases =
        db_->query("SELECT base FROM artifact_bases WHERE result_id = ? AND port = ? ORDER BY position", result, port);
    while (bases.next()) location->bases.push_back(bases.digest(0));
    return location;
  });
}

Result<std::vector<std::string>> SqliteStore::result_directories() const {
  return db_->guarded("listing results", [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> directories;
    Rows rows = db_->query("SELECT directory FROM results ORDER BY result_id");
    while (rows.next()) directories.push_back(rows.text(0));
    return directories;
  });
}

Result<std::vector<ExpansionRow>> SqliteStore::expansion(const std::string& experiment) const {
  return db_->guarded("reading the last expansion", [&]() -> Result<std::vector<ExpansionRow>> {
    std::vector<ExpansionRow> expansion;
    Rows rows = db_->query(
        "SELECT expansion_id, stage, coordinates, plugin, provenance_key, provenance_record FROM expansions "
        "WHERE experiment = ? ORDER BY position",
        experiment);
    while (rows.next()) {
      ExpansionRow row;
      row.stage = rows.text(1);
      row.plugin_id = rows.text(3);
      row.provenance_key = rows.digest(4);
      row.provenance_record = rows.json_text(5);
      // The values come from `coordinates`, which keeps their JSON types; the order of the axes does not stand there.
      const Json coordinates = rows.json(2);
      Rows axes =
          db_->query("SELECT axis FROM expansion_axes WHERE expansion_id = ? ORDER BY position", rows.integer(0));
      while (axes.next()) {
        const auto value = coordinates.find(axes.text(0));
        if (value == coordinates.end()) throw Damage{"axis " + axes.text(0) + " is missing in " + rows.text(2)};
        row.coordinates.set(axes.text(0), *value);
      }
      expansion.push_back(std::move(row));
    }
    return expansion;
  });
}

Result<std::vector<std::string>> SqliteStore::experiments() const {
  return db_->guarded("listing experiments", [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> names;
    Rows rows = db_->query("SELECT experiment FROM experiments ORDER BY experiment");
    while (rows.next()) names.push_back(rows.text(0));
    return names;
  });
}

Result<std::string> SqliteStore::experiment_file(const std::string& experiment) const {
  return db_->guarded("looking up an experiment", [&]() -> Result<std::string> {
    Rows rows = db_->query("SELECT file FROM experiments WHERE experiment = ?", experiment);
    return rows.next() ? rows.text(0) : std::string();
  });
}

std::optional<ExternalDigest> SqliteStore::external_digest(const std::string& path) const {
  return look_up<ExternalDigest>("looking up an external digest", [&]() -> Result<std::optional<ExternalDigest>> {
    Rows rows = db_->query("SELECT fingerprint, digest FROM external_digests WHERE path = ?", path);
    if (!rows.next()) return std::optional<ExternalDigest>();
    return std::optional<ExternalDigest>(
        ExternalDigest{.path = path, .fingerprint = rows.text(0), .digest = rows.digest(1)});
  });
}

}  // namespace lowbit::store
