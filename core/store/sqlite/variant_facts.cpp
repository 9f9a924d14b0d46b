// All of one result, and of what is compared with another.
#include <tuple>
#include <utility>

#include "store/project_facts.h"
#include "store/sqlite/metric_rows.h"
#include "store/sqlite/open_connection.h"

namespace lowbit::store {
namespace {

Cell cell_if(const std::optional<std::string>& text) { return text ? Cell(*text) : Cell(nullptr); }

std::vector<std::string> texts(Rows rows) {
  std::vector<std::string> column;
  while (rows.next()) column.push_back(rows.text(0));
  return column;
}

std::optional<std::string> text_member(const Json& object, const char* name) {
  const Json& text = member(object, name);
  return text.is_string() ? std::optional(text.get<std::string>()) : std::nullopt;
}

/// All but inputs and attempts, which its record and its keys lead to. `result`: its id, if it has one.
struct Found {
  VariantFacts facts;
  std::optional<std::int64_t> result;
};

Found find_variant(Connection& db, std::int64_t expansion) {
  Rows rows = db.query(
      "SELECT e.experiment, e.stage, e.label, e.plugin, v.state, e.provenance_key, e.provenance_record, v.result_id "
      "FROM expansions e JOIN v_stages v ON v.experiment = e.experiment AND v.label = e.label "
      "WHERE e.expansion_id = ?",
      expansion);
  if (!rows.next()) throw Damage{"expansion " + std::to_string(expansion) + " is not in the view v_stages"};
  Found found;
  found.facts.experiment = rows.text(0);
  found.facts.stage = rows.text(1);
  found.facts.label = rows.text(2);
  found.facts.plugin = rows.text(3);
  found.facts.state = rows.text(4);
  found.facts.provenance_key = rows.text(5);
  found.facts.record = rows.json(6);
  if (!rows.null(7)) found.result = rows.integer(7);
  return found;
}

Found find_result(Connection& db, std::int64_t result) {
  Rows rows = db.query(
      "SELECT t.label, r.plugin, t.provenance_key FROM results r JOIN attempts t USING (attempt_id) "
      "WHERE r.result_id = ?",
      result);
  if (!rows.next()) throw Damage{"the attempt of result " + std::to_string(result) + " is missing"};
  Found found;
  found.facts.label = rows.text(0);
  found.facts.plugin = rows.text(1);
  found.facts.state = "done";
  found.facts.provenance_key = rows.text_if(2);
  found.result = result;
  return found;
}

void add_result(Connection& db, std::int64_t result, VariantFacts& facts) {
  Rows rows =
      db.query("SELECT content_key, content_record, directory, seconds FROM results WHERE result_id = ?", result);
  if (!rows.next()) throw Damage{"result " + std::to_string(result) + " is missing"};
  facts.content_key = rows.text(0);
  facts.record = rows.json(1);
  facts.directory = rows.text(2);
  facts.seconds = rows.real(3);
  Rows outputs = db.query(
      "SELECT port, type, digest, path, bytes, summary FROM artifacts WHERE result_id = ? ORDER BY port", result);
  while (outputs.next()) {
    facts.outputs.push_back({.port = outputs.text(0),
                             .type = outputs.text(1),
                             .digest = outputs.text(2),
                             .path = outputs.text(3),
                             .bytes = static_cast<std::uint64_t>(outputs.integer(4)),
                             .summary = outputs.json(5)});
  }
  facts.metrics = metrics_of(db, result);
}

std::vector<AttemptFacts> attempts_for(Connection& db, const VariantFacts& facts) {
  std::vector<AttemptFacts> attempts;
  Rows rows = db.query(
      "SELECT a.number, CASE a.state WHEN 1 THEN 'running' WHEN 2 THEN 'done' WHEN 3 THEN 'failed' "
      "WHEN 4 THEN 'cancelled' ELSE 'lost' END, a.started_at, a.ended_at, a.seconds, "
      "coalesce(r.directory, a.directory), a.failure FROM attempts a LEFT JOIN results r USING (attempt_id) "
      "WHERE a.provenance_key = ? OR a.content_key = ? ORDER BY a.attempt_id",
      cell_if(facts.provenance_key), cell_if(facts.content_key));
  while (rows.next()) {
    attempts.push_back({.number = rows.integer(0),
                        .state = rows.text(1),
                        .started_at = rows.text(2),
                        .ended_at = rows.text_if(3),
                        .seconds = rows.real_if(4),
                        .directory = rows.text(5),
                        .failure = rows.json(6)});
  }
  return attempts;
}

/// Where an input stands in a record.
struct Bound {
  std::string port;
  Json at;
  const Json* member = nullptr;
};

std::vector<Bound> bound_inputs(const Json& record) {
  std::vector<Bound> inputs;
  for (const auto& [port, bound] : member(record, "inputs").items()) {
    if (!bound.is_array()) inputs.push_back({.port = port, .at = {}, .member = &bound});
    if (!bound.is_array()) continue;
    for (const Json& one : bound)
      inputs.push_back({.port = port, .at = member(one, "at"), .member = &member(one, "of")});
  }
  return inputs;
}

}  // namespace

Result<VariantFacts> ProjectFacts::variant(const Meaning& meaning) {
  return db_->guarded("reading a result", [&]() -> Result<VariantFacts> {
    const bool by_label = meaning.kind == Meaning::Kind::variant;
    auto [facts, result] = by_label ? find_variant(*db_, meaning.id) : find_result(*db_, meaning.id);
    if (result) add_result(*db_, *result, facts);
    for (const Bound& bound : bound_inputs(facts.record)) {
      InputFacts input{.port = bound.port,
                       .at = bound.at,
                       .type = text_member(*bound.member, "type"),
                       .digest = text_member(*bound.member, "digest"),
                       .made_as = {},
                       .path = {}};
      if (const auto key = text_member(*bound.member, "from")) {
        Rows makers = db_->query("SELECT label FROM expansions WHERE provenance_key = ? LIMIT 1", *key);
        if (makers.next()) input.made_as = makers.text(0) + "." + text_member(*bound.member, "port").value_or("");
      } else if (input.digest) {
        LB_TRY_ASSIGN(std::optional<ArtifactPlace> place, place_of(*input.digest));
        if (place) std::tie(input.made_as, input.path) = std::pair(std::move(place->made_as), std::move(place->path));
      }
      facts.inputs.push_back(std::move(input));
    }
    facts.attempts = attempts_for(*db_, facts);
    return std::move(facts);
  });
}

Result<ExecutionFacts> ProjectFacts::execution(std::int64_t result) {
  return db_->guarded("reading how a result was made", [&]() -> Result<ExecutionFacts> {
    Rows rows = db_->query(
        "SELECT a.label, r.content_key, r.plugin_digest, r.directory, a.number, a.started_at, r.ended_at, r.seconds, "
        "a.environment, u.run_id, u.command, u.versions, u.host, (SELECT value FROM json_each(u.builds) WHERE key = "
        "r.plugin) FROM results r JOIN attempts a USING (attempt_id) "
        "LEFT JOIN runs u USING (run_id) WHERE r.result_id = ?",
        result);
    if (!rows.next()) throw Damage{"result " + std::to_string(result) + " or its attempt is missing"};
    return ExecutionFacts{.label = rows.text(0),
                          .content_key = rows.text(1),
                          .plugin_digest = rows.text(2),
                          .directory = rows.text(3),
                          .attempt = rows.integer(4),
                          .started_at = rows.text(5),
                          .ended_at = rows.text(6),
                          .seconds = rows.real(7),
                          .environment = rows.json(8),
                          .run = rows.integer(9),
                          .command = rows.text(10),
                          .versions = rows.json(11),
                          .build = rows.text(13),
                          .host = rows.text(12)};
  });
}

Result<ArtifactFacts> ProjectFacts::artifact(const Meaning& meaning) {
  return db_->guarded("reading an artifact", [&]() -> Result<ArtifactFacts> {
    ArtifactFacts facts{.digest = meaning.name};
    std::int64_t result = 0;
    std::string port;
    Rows rows = db_->query(
        "SELECT t.label, a.port, a.result_id, a.type, a.bytes, a.path, a.summary FROM artifacts a "
        "JOIN results r USING (result_id) JOIN attempts t USING (attempt_id) WHERE a.digest = ? "
        "ORDER BY r.is_current DESC, r.result_id",
        meaning.name);
    while (rows.next()) {
      facts.made_by.push_back(rows.text(0) + "." + rows.text(1));
      if (facts.made_by.size() > 1) continue;
      port = rows.text(1);
      result = rows.integer(2);
      facts.type = rows.text(3);
      facts.bytes = static_cast<std::uint64_t>(rows.integer(4));
      facts.path = rows.text(5);
      facts.summary = rows.json(6);
    }
    facts.used_by =
        texts(db_->query("SELECT DISTINCT e.label FROM results r JOIN provenance p ON p.content_key = r.content_key "
                         "JOIN expansions e ON e.provenance_key = p.provenance_key WHERE r.is_current = 1 AND "
                         "instr(json_extract(r.content_record, '$.inputs'), ?) > 0 ORDER BY e.expansion_id",
                         meaning.name));
    facts.bases = texts(
        db_->query("SELECT base FROM artifact_bases WHERE result_id = ? AND port = ? ORDER BY position", result, port));
    return facts;
  });
}

Result<std::map<std::string, ResultFacts>> ProjectFacts::results(const Meaning& meaning) {
  return db_->guarded("reading results", [&]() -> Result<std::map<std::string, ResultFacts>> {
    std::map<std::string, ResultFacts> results;
    Rows rows = meaning.kind == Meaning::Kind::run
                    ? db_->query(
                          "SELECT t.label, r.result_id, r.content_record FROM attempts t "
                          "JOIN results r USING (attempt_id) WHERE t.run_id = ?",
                          meaning.id)
                    : db_->query(
                          "SELECT e.label, r.result_id, r.content_record FROM expansions e "
                          "JOIN provenance p USING (provenance_key) "
                          "JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 WHERE e.experiment = ?",
                          meaning.name);
    while (rows.next()) results[rows.text(0)] = {.record = rows.json(2), .metrics = metrics_of(*db_, rows.integer(1))};
    return results;
  });
}

}  // namespace lowbit::store
