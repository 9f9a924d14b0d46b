// Storing results: one transaction for a group of finished attempts.
#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "store/sqlite/item_rows.h"
#include "store/sqlite/metric_rows.h"
#include "store/sqlite/sqlite_store.h"

namespace lowbit::store {
namespace {

void insert_output(Connection& db, std::int64_t result, const PublishedOutput& output) {
  db.execute("INSERT INTO artifacts (result_id, port, type, digest, path, bytes, summary) VALUES (?, ?, ?, ?, ?, ?, ?)",
             result, output.port, output.artifact.type, cell(output.artifact.digest), output.path,
             static_cast<std::int64_t>(output.bytes), json_cell(output.summary));
  std::int64_t position = 0;
  for (const Digest& base : output.bases) {
    db.execute("INSERT INTO artifact_bases (result_id, port, position, base) VALUES (?, ?, ?, ?)", result, output.port,
               position++, cell(base));
  }
}

// A curve point reported again (a stage resumed before it) is the same point: the last report counts.
void insert_metric(Connection& db, std::int64_t result, const MetricRow& metric) {
  const Cell std_error = metric.std_error ? Cell(*metric.std_error) : Cell(nullptr);
  const auto count = static_cast<std::int64_t>(metric.count);
  if (metric.step < 0) {
    db.execute(
        "INSERT OR REPLACE INTO metrics (result_id, name, unit, value, std_error, count) VALUES (?, ?, ?, ?, ?, ?)",
        result, metric.name, metric.unit, metric.value, std_error, count);
  } else {
    db.execute(
        "INSERT OR REPLACE INTO curves (result_id, name, step, unit, value, std_error, count) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        result, metric.name, metric.step, metric.unit, metric.value, std_error, count);
  }
}

void set_provenance(Connection& db, const Digest& provenance_key, const Digest& content_key) {
  db.execute("INSERT OR REPLACE INTO provenance (provenance_key, content_key) VALUES (?, ?)", cell(provenance_key),
             cell(content_key));
}

bool has_current(Connection& db, const Digest& content_key) {
  return db.query("SELECT 1 FROM results WHERE content_key = ? AND is_current = 1", cell(content_key)).next();
}

std::string doing(std::size_t n) {
  return n == 1 ? "storing the result of 1 attempt" : "storing the results of " + std::to_string(n) + " attempts";
}

}  // namespace

Result<std::vector<StageResult>> SqliteStore::publish(const std::vector<Publication>& publications, bool replace) {
  return write(doing(publications.size()), [&]() -> Result<std::vector<StageResult>> {
    for (const Publication& p : publications) LB_TRY(store_publication(p, replace));
    std::vector<StageResult> current;
    for (const Publication& p : publications) {
      LB_TRY_ASSIGN(std::optional<StageResult> result, find_current(p.result.content_key));
      LB_CHECK(result.has_value());
      result->metrics = store::metrics_of(*db_, result->id);
      current.push_back(*std::move(result));
    }
    return current;
  });
}

Result<void> SqliteStore::store_publication(const Publication& p, bool replace) {
  const int changed =
      db_->execute("UPDATE attempts SET state = ?, failure = NULL, ended_at = ?, seconds = ? WHERE attempt_id = ?",
                   static_cast<std::int64_t>(AttemptState::done), p.ended_at, p.seconds, p.attempt_id);
  if (changed == 0) return contradiction(doing(1), "there is no attempt " + std::to_string(p.attempt_id));
  set_provenance(*db_, p.provenance_key, p.result.content_key);

  // A result harvested twice is one result.
  if (db_->query("SELECT 1 FROM results WHERE attempt_id = ?", p.attempt_id).next()) return {};
  if (has_current(*db_, p.result.content_key)) {
    if (!replace) return {};
    db_->execute("UPDATE results SET is_current = 0 WHERE content_key = ? AND is_current = 1",
                 cell(p.result.content_key));
  }
  return insert_result(p);
}

Result<void> SqliteStore::insert_result(const Publication& p) {
  const std::string& own = p.own_record.text();
  db_->execute(
      "INSERT INTO results (content_key, is_current, attempt_id, plugin, kind, plugin_digest, own_digest, own_record, "
      "content_record, directory, ended_at, seconds) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      cell(p.result.content_key), p.attempt_id, p.stage_id, p.stage_kind, cell(p.result.plugin_digest),
      cell(sha256(own)), own, p.result.content_record.text(), p.result_directory, p.ended_at, p.seconds);
  const std::int64_t id = db_->last_insert_id();

  std::map<std::string, std::string> types;
  for (const PublishedOutput& output : p.outputs) {
    insert_output(*db_, id, output);
    types[output.port] = output.artifact.type;
  }
  const Json record = p.result.content_record.json();
  if (const auto params = record.find("params"); params != record.end()) {
    for (const auto& [name, value] : params->items()) {
      db_->execute("INSERT INTO params (result_id, name, value) VALUES (?, ?, ?)", id, name, scalar_cell(value));
    }
  }
  for (const MetricRow& metric : p.metrics) insert_metric(*db_, id, metric);
  for (const auto& [port, items] : p.items) LB_TRY(insert_items(*db_, id, port, types[port], items));
  return {};
}

Result<void> SqliteStore::link(const Digest& provenance_key, const Digest& content_key) {
  return link(std::vector{std::pair(provenance_key, content_key)});
}

Result<void> SqliteStore::link(const std::vector<std::pair<Digest, Digest>>& links) {
  constexpr const char* kDoing = "linking a cut-off stage to its result";
  std::vector<std::pair<Digest, Digest>> missing;
  at_one_moment([&] {
    std::copy_if(links.begin(), links.end(), std::back_inserter(missing), [&](const auto& link) {
      const auto known = link_of(link.first);
      return !known || *known != link.second;
    });
  });
  LB_TRY(lookup_state());
  if (missing.empty()) return {};
  return write(kDoing, [&]() -> Result<void> {
    for (const auto& [provenance_key, content_key] : missing) {
      if (!has_current(*db_, content_key)) {
        return contradiction(kDoing, "no result has content key " + content_key.hex());
      }
      set_provenance(*db_, provenance_key, content_key);
    }
    return {};
  });
}

Result<void> SqliteStore::record_gates(const std::vector<GateVerdict>& verdicts) {
  if (verdicts.empty()) return {};
  return write("recording what gates hold back", [&]() -> Result<void> {
    for (const GateVerdict& verdict : verdicts) {
      const Json failure = verdict.problem.empty() ? Json() : Json{{"cause", "gate"}, {"what", verdict.problem}};
      db_->execute(
          "UPDATE attempts SET failure = ?1 WHERE failure IS NOT ?1 AND attempt_id = "
          "(SELECT attempt_id FROM results WHERE content_key = ?2 AND is_current = 1)",
          json_cell(failure), cell(verdict.content_key));
    }
    return {};
  });
}

}  // namespace lowbit::store
