#include "store/project_facts.h"

#include <utility>

#include "store/sqlite/open_connection.h"

namespace lowbit::store {
namespace {

constexpr std::size_t kShortestKey = 6;
constexpr std::size_t kWholeKey = 64;

const char* names_sql(Named what) {
  switch (what) {
    case Named::experiments: return "SELECT experiment FROM experiments ORDER BY experiment";
    case Named::runs: return "SELECT 'run:' || run_id FROM runs ORDER BY run_id";
    case Named::stages: return "SELECT DISTINCT stage FROM expansions ORDER BY stage";
    case Named::variants: return "SELECT label FROM expansions GROUP BY label ORDER BY min(expansion_id)";
    case Named::attempts: return "SELECT DISTINCT label FROM attempts ORDER BY label";
    case Named::judges:
      return "SELECT DISTINCT judge FROM v_verdicts WHERE judge NOT IN ('vote', 'human', 'truth') ORDER BY judge";
    case Named::models: break;
  }
  return "SELECT DISTINCT s.label FROM v_stages s JOIN artifacts a USING (result_id) "
         "WHERE a.type IN ('model/1', 'quantized-model/1', 'adapter/1') ORDER BY s.label";
}

bool may_be_key(const std::string& word) {
  return word.size() >= kShortestKey && word.size() <= kWholeKey &&
         word.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Columns: digest, path, type, made as.
std::optional<ArtifactPlace> first_place(Rows rows) {
  if (!rows.next()) return std::nullopt;
  return ArtifactPlace{
      .digest = rows.digest(0), .path = rows.text(1), .type = rows.text_if(2), .made_as = rows.text_if(3)};
}

std::uint64_t count(const Rows& rows, int column) { return static_cast<std::uint64_t>(rows.integer(column)); }

/// Seconds by name.
std::map<std::string, double> means(Rows rows) {
  std::map<std::string, double> seconds;
  while (rows.next()) seconds[rows.text(0)] = rows.real(1);
  return seconds;
}

/// One of them when all have one key.
std::vector<Meaning> variants_with_label(Connection& db, const std::string& label, const std::string& experiment) {
  std::vector<Meaning> found;
  std::string key;
  bool same = true;
  Rows rows = db.query(
      "SELECT expansion_id, experiment, provenance_key FROM expansions WHERE label = ?1 AND ?2 IN ('', experiment) "
      "ORDER BY expansion_id",
      label, experiment);
  while (rows.next()) {
    found.push_back({.kind = Meaning::Kind::variant, .id = rows.integer(0), .name = rows.text(1)});
    if (found.size() == 1) key = rows.text(2);
    same = same && rows.text(2) == key;
  }
  if (same && found.size() > 1) found.resize(1);
  return found;
}

/// What has a key or digest that begins so.
std::vector<Meaning> with_key(Connection& db, const std::string& beginning) {
  std::vector<Meaning> found;
  // 'g' is above every hexadecimal digit.
  Rows artifacts = db.query("SELECT DISTINCT digest FROM artifacts WHERE digest BETWEEN ?1 AND ?1 || 'g'", beginning);
  while (artifacts.next()) found.push_back({.kind = Meaning::Kind::artifact, .name = artifacts.text(0)});
  Rows results = db.query("SELECT result_id FROM results WHERE is_current = 1 AND content_key BETWEEN ?1 AND ?1 || 'g'",
                          beginning);
  while (results.next()) found.push_back({.kind = Meaning::Kind::result, .id = results.integer(0), .name = {}});
  Rows variants = db.query(
      "SELECT min(expansion_id) FROM expansions WHERE provenance_key BETWEEN ?1 AND ?1 || 'g' GROUP BY provenance_key",
      beginning);
  while (variants.next()) found.push_back({.kind = Meaning::Kind::variant, .id = variants.integer(0), .name = {}});
  return found;
}

}  // namespace

ProjectFacts::ProjectFacts(std::unique_ptr<Connection> db) : db_(std::move(db)) {}
ProjectFacts::~ProjectFacts() = default;
ProjectFacts::ProjectFacts(ProjectFacts&&) noexcept = default;
ProjectFacts& ProjectFacts::operator=(ProjectFacts&&) noexcept = default;

Result<ProjectFacts> ProjectFacts::open(const std::filesystem::path& database) {
  LB_TRY_ASSIGN(std::unique_ptr<Connection> db, open_connection(database, Access::read_only, {}));
  LB_TRY(db->guarded("reading what is stored", [&]() -> Result<void> {
    db->execute("BEGIN");
    return {};
  }));
  return ProjectFacts(std::move(db));
}

Result<std::vector<std::string>> ProjectFacts::names(Named what) {
  return db_->guarded("reading names", [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> names;
    Rows rows = db_->query(names_sql(what));
    while (rows.next()) names.push_back(rows.text(0));
    return names;
  });
}

Result<std::vector<Meaning>> ProjectFacts::meanings_of(const std::string& word, const std::string& experiment) {
  return db_->guarded("looking up a name", [&]() -> Result<std::vector<Meaning>> {
    std::vector<Meaning> found = variants_with_label(*db_, word, experiment);
    if (!found.empty()) return found;
    Rows experiments = db_->query("SELECT 1 FROM experiments WHERE experiment = ?", word);
    if (experiments.next()) return std::vector{Meaning{.kind = Meaning::Kind::experiment, .name = word}};
    Rows runs = db_->query("SELECT run_id FROM runs WHERE 'run:' || run_id = ?", word);
    if (runs.next()) return std::vector{Meaning{.kind = Meaning::Kind::run, .id = runs.integer(0), .name = {}}};
    return may_be_key(word) ? with_key(*db_, word) : std::vector<Meaning>();
  });
}

Result<std::vector<VariantLine>> ProjectFacts::variants(const std::string& experiment) {
  return db_->guarded("reading how far experiments are", [&]() -> Result<std::vector<VariantLine>> {
    std::vector<VariantLine> variants;
    Rows rows = db_->query(
        "SELECT experiment, stage, label, CASE WHEN state = 'done' AND failure IS NOT NULL THEN 'gated' ELSE state "
        "END, "
        "seconds, failure, "
        "(SELECT json_extract(a.failure, '$.cause') FROM attempts a WHERE a.attempt_id = v_stages.attempt_id) "
        "FROM v_stages WHERE ? IN ('', experiment)",
        experiment);
    while (rows.next()) {
      variants.push_back({.experiment = rows.text(0),
                          .stage = rows.text(1),
                          .label = rows.text(2),
                          .state = rows.text(3),
                          .seconds = rows.real_if(4),
                          .failure = rows.text_if(5),
                          .cause = rows.text(6)});
    }
    return variants;
  });
}

Result<std::vector<ExperimentLine>> ProjectFacts::experiments() {
  return db_->guarded("listing experiments", [&]() -> Result<std::vector<ExperimentLine>> {
    std::vector<ExperimentLine> lines;
    Rows rows = db_->query(
        "SELECT x.experiment, x.file, count(*), sum(v.state = 'done'), sum(v.state = 'running'), "
        "sum(v.state IN ('failed', 'lost', 'cancelled')), sum(v.state = 'never'), x.expanded_at FROM experiments x "
        "JOIN v_stages v ON v.experiment = x.experiment GROUP BY x.experiment ORDER BY x.experiment");
    while (rows.next()) {
      lines.push_back({.experiment = rows.text(0),
                       .file = rows.text(1),
                       .variants = count(rows, 2),
                       .done = count(rows, 3),
                       .running = count(rows, 4),
                       .failed = count(rows, 5),
                       .never = count(rows, 6),
                       .expanded_at = rows.text(7)});
    }
    return lines;
  });
}

Result<std::vector<RunLine>> ProjectFacts::runs(std::optional<std::int64_t> limit) {
  return db_->guarded("listing runs", [&]() -> Result<std::vector<RunLine>> {
    constexpr std::int64_t kAll = -1;
    std::vector<RunLine> lines;
    Rows rows = db_->query(
        "SELECT r.run_id, r.experiment, coalesce(r.outcome, 'open'), r.started_at, "
        "round((julianday(r.ended_at) - julianday(r.started_at)) * 86400, 1), "
        "(SELECT count(*) FROM attempts a WHERE a.run_id = r.run_id AND a.state = 2), "
        "(SELECT count(*) FROM attempts a WHERE a.run_id = r.run_id AND a.state > 2), r.command "
        "FROM runs r ORDER BY r.run_id DESC LIMIT ?",
        limit.value_or(kAll));
    while (rows.next()) {
      lines.push_back({.run = rows.integer(0),
                       .experiment = rows.text(1),
                       .outcome = rows.text(2),
                       .started_at = rows.text(3),
                       .seconds = rows.real_if(4),
                       .done = count(rows, 5),
                       .failed = count(rows, 6),
                       .command = rows.text(7)});
    }
    return lines;
  });
}

Result<std::optional<std::string>> ProjectFacts::newest_attempt_directory(const std::string& label) {
  return db_->guarded("looking up an attempt", [&]() -> Result<std::optional<std::string>> {
    Rows rows = db_->query(
        "SELECT coalesce(r.directory, a.directory) FROM attempts a LEFT JOIN results r ON r.attempt_id = a.attempt_id "
        "WHERE a.label = ? ORDER BY a.attempt_id DESC LIMIT 1",
        label);
    return rows.next() ? std::optional(rows.text(0)) : std::nullopt;
  });
}

Result<std::optional<ArtifactPlace>> ProjectFacts::model(const std::string& label_or_digest) {
  return db_->guarded("looking up a model", [&]() -> Result<std::optional<ArtifactPlace>> {
    return first_place(db_->query(
        "SELECT a.digest, a.path, a.type, t.label || '.' || a.port FROM artifacts a JOIN results r USING (result_id) "
        "JOIN attempts t USING (attempt_id) LEFT JOIN v_stages s USING (result_id) "
        "WHERE a.type IN ('model/1', 'quantized-model/1', 'adapter/1') AND (s.label = ?1 OR a.digest = ?1) "
        "ORDER BY r.is_current DESC, r.result_id DESC LIMIT 1",
        label_or_digest));
  });
}

Result<std::optional<ArtifactPlace>> ProjectFacts::place_of(const std::string& digest) {
  return db_->guarded("looking up an artifact", [&]() -> Result<std::optional<ArtifactPlace>> {
    auto made = first_place(db_->query(
        "SELECT a.digest, a.path, a.type, t.label || '.' || a.port FROM artifacts a JOIN results r USING (result_id) "
        "JOIN attempts t USING (attempt_id) WHERE a.digest = ? ORDER BY r.is_current DESC, r.result_id LIMIT 1",
        digest));
    if (made) return made;
    return first_place(
        db_->query("SELECT digest, path, NULL, NULL FROM external_digests WHERE digest = ? LIMIT 1", digest));
  });
}

Result<std::vector<QueuePlace>> ProjectFacts::review_queues(const std::string& experiment) {
  return db_->guarded("looking up review queues", [&]() -> Result<std::vector<QueuePlace>> {
    std::vector<QueuePlace> queues;
    Rows rows = db_->query(
        "SELECT e.experiment, e.label, a.path, json_extract(r.content_record, '$.inputs.predictions.digest') "
        "FROM expansions e JOIN provenance p ON p.provenance_key = e.provenance_key "
        "JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 "
        "JOIN artifacts a ON a.result_id = r.result_id AND a.type = 'review-queue/1' "
        "WHERE ?1 IN ('', e.experiment) ORDER BY e.experiment, e.position",
        experiment);
    while (rows.next()) {
      queues.push_back({.experiment = rows.text(0),
                        .label = rows.text(1),
                        .path = rows.text(2),
                        .predictions = rows.text_if(3).value_or("")});
    }
    return queues;
  });
}

Result<std::vector<graph::CostSample>> ProjectFacts::costs() {
  return db_->guarded("reading what results took", [&]() -> Result<std::vector<graph::CostSample>> {
    std::vector<graph::CostSample> samples;
    Rows rows = db_->query(
        "SELECT a.label, r.plugin, r.seconds, "
        "coalesce((SELECT sum(bytes) FROM artifacts WHERE result_id = r.result_id), 0) "
        "FROM results r JOIN attempts a ON a.attempt_id = r.attempt_id");
    while (rows.next()) {
      samples.push_back(
          {.label = rows.text(0), .plugin_id = rows.text(1), .seconds = rows.real(2), .bytes = count(rows, 3)});
    }
    return samples;
  });
}

Result<DurationHistory> ProjectFacts::mean_seconds(const std::string& experiment) {
  return db_->guarded("reading what results took", [&]() -> Result<DurationHistory> {
    return DurationHistory{
        .by_stage = means(
            db_->query("SELECT e.stage, avg(r.seconds) FROM expansions e JOIN provenance p USING (provenance_key) "
                       "JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 WHERE e.experiment = ? "
                       "GROUP BY e.stage",
                       experiment)),
        .by_plugin = means(db_->query("SELECT plugin, avg(seconds) FROM results GROUP BY plugin"))};
  });
}

Result<std::optional<HolderFacts>> ProjectFacts::holder() {
  return db_->guarded("looking up who holds the project", [&]() -> Result<std::optional<HolderFacts>> {
    Rows rows = db_->query(
        "SELECT l.pid, l.host, coalesce(r.started_at, l.taken_at), r.experiment, r.command FROM lease l "
        "LEFT JOIN runs r ON r.epoch = l.epoch AND r.ended_at IS NULL ORDER BY r.run_id DESC LIMIT 1");
    if (!rows.next()) return std::optional<HolderFacts>();
    return std::optional(HolderFacts{.pid = rows.integer(0),
                                     .host = rows.text(1),
                                     .since = rows.text(2),
                                     .experiment = rows.text(3),
                                     .command = rows.text(4)});
  });
}

}  // namespace lowbit::store
