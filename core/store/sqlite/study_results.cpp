#include "store/study_results.h"

#include <algorithm>

#include "base/glob.h"
#include "store/sqlite/open_connection.h"

namespace lowbit::store {
namespace {

bool is_wanted(const std::string& metric, const std::set<std::string>& names) {
  return names.empty() ||
         std::any_of(names.begin(), names.end(), [&](const std::string& name) { return matches_glob(name, metric); });
}

std::map<std::string, MeasuredMetric> measured(Connection& db, std::int64_t result,
                                               const std::set<std::string>& names) {
  std::map<std::string, MeasuredMetric> metrics;
  const auto take = [&](Rows rows) {
    while (rows.next()) {
      std::string name = rows.text(0);
      if (is_wanted(name, names)) metrics[std::move(name)] = {rows.text(1), rows.real_if(2), rows.integer(3)};
    }
  };
  const bool open = names.empty() || std::any_of(names.begin(), names.end(), [](const std::string& name) {
                      return name.find('*') != std::string::npos;
                    });
  if (open) take(db.query("SELECT name, unit, value, count FROM metrics WHERE result_id = ?", result));
  for (const std::string& name : open ? std::set<std::string>() : names) {
    take(db.query("SELECT name, unit, value, count FROM metrics WHERE result_id = ? AND name = ?", result, name));
  }
  return metrics;
}

// Apart from the view, whose order is that of the expansion as long as nothing is joined to it.
std::string content_key_of(Connection& db, std::int64_t result) {
  Rows rows = db.query("SELECT content_key FROM results WHERE result_id = ?", result);
  return rows.next() ? rows.text(0) : std::string();
}

// One transaction: a run may publish meanwhile.
Result<StudyResults> read_study(const std::filesystem::path& database, const std::string& experiment, bool metrics) {
  LB_TRY_ASSIGN(const std::unique_ptr<Connection> db, open_connection(database, Access::read_only, {}));
  return db->guarded("reading an experiment's results", [&]() -> Result<StudyResults> {
    SQLite::Transaction snapshot(db->database());
    StudyResults study{.experiment = experiment, .file = {}, .options = {}, .text = {}, .variants = {}};
    Rows known = db->query("SELECT file, options, text FROM experiments WHERE experiment = ?", experiment);
    if (!known.next()) return study;
    study.file = known.text(0);
    study.options = known.text(1);
    study.text = known.text(2);
    Rows rows =
        db->query("SELECT stage, label, axes, seed, state, result_id FROM v_stages WHERE experiment = ?", experiment);
    while (rows.next()) {
      StudyVariant variant;
      variant.stage = rows.text(0);
      variant.label = rows.text(1);
      variant.axes = rows.json(2);
      if (!rows.null(3)) variant.seed = rows.integer(3);
      variant.state = rows.text(4);
      if (!rows.null(5)) variant.result_id = rows.integer(5);
      study.variants.push_back(std::move(variant));
    }
    for (StudyVariant& variant : study.variants) {
      if (!variant.result_id) continue;
      variant.content_key = content_key_of(*db, *variant.result_id);
      if (metrics) variant.metrics = measured(*db, *variant.result_id, {});
    }
    return study;
  });
}

}  // namespace

Result<StudyResults> study_results(const std::filesystem::path& database, const std::string& experiment) {
  return read_study(database, experiment, true);
}

Result<StudyResults> study_variants(const std::filesystem::path& database, const std::string& experiment) {
  return read_study(database, experiment, false);
}

Result<void> read_metrics(const std::filesystem::path& database, const std::set<std::int64_t>& results,
                          StudyResults& study, const std::set<std::string>& names) {
  LB_TRY_ASSIGN(const std::unique_ptr<Connection> db, open_connection(database, Access::read_only, {}));
  return db->guarded("reading metrics", [&]() -> Result<void> {
    for (StudyVariant& variant : study.variants) {
      if (variant.result_id && results.contains(*variant.result_id)) {
        variant.metrics = measured(*db, *variant.result_id, names);
      }
    }
    return {};
  });
}

Result<Answers> answers_of(const std::filesystem::path& database, const std::vector<std::int64_t>& results) {
  LB_TRY_ASSIGN(const std::unique_ptr<Connection> db, open_connection(database, Access::read_only, {}));
  return db->guarded("reading predictions", [&]() -> Result<Answers> {
    Answers answers;
    for (const std::int64_t result : results) {
      Rows rows = db->query(
          "SELECT item_id, problem_id, fields ->> '$.prompt_sha', correct FROM predictions WHERE result_id = ?",
          result);
      while (rows.next()) {
        ItemAnswer& answer = answers[result].emplace_back();
        answer.item_id = rows.text(0);
        answer.problem_id = rows.text(1);
        answer.prompt_sha = rows.text(2);
        if (!rows.null(3)) answer.correct = rows.integer(3) != 0;
      }
    }
    return answers;
  });
}

Result<Curves> curves_of(const std::filesystem::path& database, const std::vector<std::int64_t>& results) {
  LB_TRY_ASSIGN(const std::unique_ptr<Connection> db, open_connection(database, Access::read_only, {}));
  return db->guarded("reading curves", [&]() -> Result<Curves> {
    Curves curves;
    for (const std::int64_t result : results) {
      Rows rows = db->query("SELECT name, step, value FROM curves WHERE result_id = ? ORDER BY name, step", result);
      while (rows.next()) curves[result][rows.text(0)].push_back({rows.integer(1), rows.real_if(2)});
    }
    return curves;
  });
}

}  // namespace lowbit::store
