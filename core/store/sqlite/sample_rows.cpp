// Items of predictions with what graders, judges and people say of them.
#include "base/words.h"
#include "store/project_facts.h"
#include "store/sqlite/open_connection.h"

namespace lowbit::store {
namespace {

constexpr std::size_t kPortsListed = 6;

const char* grade_text(SampleFilter::Grade grade) {
  switch (grade) {
    case SampleFilter::Grade::right: return "right";
    case SampleFilter::Grade::wrong: return "wrong";
    case SampleFilter::Grade::ungraded: return "ungraded";
    case SampleFilter::Grade::any: break;
  }
  return "any";
}

/// Their results as a JSON array, for json_each().
std::string ids_of(const std::vector<MarksPlace>& marks) {
  Json ids = Json::array();
  for (const MarksPlace& place : marks) ids.push_back(place.result_id);
  return canonical(ids);
}

std::optional<bool> truth_if(const Rows& rows, int column) {
  return rows.null(column) ? std::nullopt : std::optional(rows.integer(column) != 0);
}

std::optional<std::int64_t> integer_if(const Rows& rows, int column) {
  return rows.null(column) ? std::nullopt : std::optional(rows.integer(column));
}

struct Port {
  std::string name;
  std::string digest;
};

std::vector<Port> prediction_ports(Connection& db, std::int64_t result) {
  std::vector<Port> ports;
  Rows rows = db.query(
      "SELECT port, digest FROM artifacts WHERE result_id = ? AND type = 'predictions/1' ORDER BY port", result);
  while (rows.next()) ports.push_back({rows.text(0), rows.text(1)});
  return ports;
}

/// Of the one task/1 among the result's inputs.
std::optional<std::string> task_digest(Connection& db, std::int64_t result) {
  Rows rows = db.query(
      "SELECT i.value ->> '$.digest' FROM results r, json_each(r.content_record, '$.inputs') i "
      "WHERE r.result_id = ? AND i.type = 'object' AND i.value ->> '$.type' = 'task/1'",
      result);
  if (!rows.next()) return std::nullopt;
  const std::string digest = rows.text(0);
  return rows.next() ? std::nullopt : std::optional(digest);
}

void count_grades(Connection& db, PredictionsPlace& place) {
  Rows rows = db.query(
      "SELECT count(*), coalesce(sum(correct), 0), count(*) - count(correct) FROM predictions "
      "WHERE result_id = ? AND port = ?",
      place.result_id, place.port);
  if (!rows.next()) return;
  place.n = static_cast<std::size_t>(rows.integer(0));
  place.n_right = static_cast<std::size_t>(rows.integer(1));
  place.n_ungraded = static_cast<std::size_t>(rows.integer(2));
}

}  // namespace

Result<PredictionsPlace> ProjectFacts::predictions(const Meaning& meaning, const std::string& port) {
  LB_TRY_ASSIGN(const VariantFacts facts, variant(meaning));
  return db_->guarded("looking up predictions", [&]() -> Result<PredictionsPlace> {
    PredictionsPlace place{.label = facts.label};
    if (!facts.content_key) {
      return error("LB7064", "`" + facts.label + "` has no result")
          .note("it is " + facts.state)
          .fix("run its experiment first; `lowbit status` tells how far it is");
    }
    Rows rows =
        db_->query("SELECT result_id FROM results WHERE content_key = ? AND is_current = 1", *facts.content_key);
    if (!rows.next()) throw Damage{"content key " + *facts.content_key + " has no current result"};
    place.result_id = rows.integer(0);
    const std::vector<Port> ports = prediction_ports(*db_, place.result_id);
    std::vector<std::string> names;
    for (const Port& one : ports) {
      names.push_back(one.name);
      if (!port.empty() ? one.name == port : ports.size() == 1) place.port = one.name, place.digest = one.digest;
    }
    if (place.digest.empty()) {
      Diagnostic problem = error("LB7064", "`" + facts.label + "` has " +
                                               (ports.empty()  ? std::string("no predictions")
                                                : port.empty() ? "several sets of predictions"
                                                               : "no predictions `" + port + "`"));
      if (!names.empty()) problem.note("its predictions: " + listed(names, kPortsListed));
      return problem.fix(ports.empty() ? "name a stage that answers items, such as one of lowbit.generate"
                                       : "name one with --port");
    }
    if (const auto digest = task_digest(*db_, place.result_id)) {
      LB_TRY_ASSIGN(const std::optional<ArtifactPlace> task, place_of(*digest));
      if (task) place.task_path = task->path;
    }
    count_grades(*db_, place);
    return place;
  });
}

Result<PredictionsPlace> ProjectFacts::predictions_of(std::int64_t result) {
  return predictions({.kind = Meaning::Kind::result, .id = result, .name = {}});
}

Result<std::vector<MarksPlace>> ProjectFacts::marks_on(const std::string& digest) {
  return db_->guarded("looking up grades and verdicts", [&]() -> Result<std::vector<MarksPlace>> {
    std::vector<MarksPlace> places;
    {
      // A result that several variants lead to counts once, as the first of them: with min(), SQLite takes the other
      // columns from its row.
      Rows rows = db_->query(
          "SELECT r.result_id, min(e.expansion_id), e.label, a.port, a.type FROM artifacts a JOIN results r USING "
          "(result_id) "
          "JOIN provenance p ON p.content_key = r.content_key JOIN expansions e USING (provenance_key) "
          "WHERE a.type IN ('grades/1', 'verdicts/1') AND r.is_current = 1 "
          "AND r.content_record ->> '$.inputs.predictions.digest' = ? GROUP BY r.result_id, a.port ORDER BY 2",
          digest);
      while (rows.next()) {
        places.push_back(
            {.result_id = rows.integer(0), .label = rows.text(2), .port = rows.text(3), .type = rows.text(4)});
      }
    }
    for (MarksPlace& place : places) {
      Rows rows = db_->query(
          "SELECT source, count(*), sum(source = 'human') FROM grades WHERE result_id = ?1 AND port = ?2 GROUP BY "
          "source "
          "UNION ALL SELECT judge, count(*), sum(judge = 'human') FROM verdicts WHERE result_id = ?1 AND port = ?2 "
          "GROUP BY judge ORDER BY 1",
          place.result_id, place.port);
      while (rows.next()) {
        place.sources.push_back(rows.text(0));
        place.n += static_cast<std::size_t>(rows.integer(1));
        place.n_human += static_cast<std::size_t>(rows.integer(2));
      }
    }
    return places;
  });
}

// The conditions that `count_samples` and `samples` share: ?1 result, ?2 port, ?3 grade, ?4 item, ?5 error, ?6 the
// results whose marks may name it.
#define LB_SAMPLE_CONDITIONS                                                                                     \
  "result_id = ?1 AND port = ?2 "                                                                                \
  "AND CASE ?3 WHEN 'right' THEN correct = 1 WHEN 'wrong' THEN correct = 0 "                                     \
  "WHEN 'ungraded' THEN correct IS NULL ELSE 1 END "                                                             \
  "AND (?4 = '' OR item_id = ?4) AND (?5 = '' OR item_id IN "                                                    \
  "(SELECT item_id FROM grades WHERE result_id IN (SELECT value FROM json_each(?6)) AND ?5 IN (type, category) " \
  "UNION SELECT item_id FROM verdicts WHERE result_id IN (SELECT value FROM json_each(?6)) "                     \
  "AND ?5 IN (type, category))) "

Result<std::size_t> ProjectFacts::count_samples(const PredictionsPlace& place, const SampleFilter& filter,
                                                const std::vector<MarksPlace>& deciding) {
  return db_->guarded("counting items", [&]() -> Result<std::size_t> {
    Rows rows = db_->query("SELECT count(*) FROM predictions WHERE " LB_SAMPLE_CONDITIONS, place.result_id, place.port,
                           std::string(grade_text(filter.grade)), filter.item_id, filter.error, ids_of(deciding));
    rows.next();
    return static_cast<std::size_t>(rows.integer(0));
  });
}

Result<std::vector<Sample>> ProjectFacts::samples(const PredictionsPlace& place, const SampleFilter& filter,
                                                  const std::vector<MarksPlace>& deciding, std::size_t limit) {
  return db_->guarded("reading items", [&]() -> Result<std::vector<Sample>> {
    std::vector<Sample> samples;
    Rows rows = db_->query(
        "SELECT item_id, problem_id, correct, fields ->> '$.text', extracted, n_tokens, truncated FROM predictions "
        "WHERE " LB_SAMPLE_CONDITIONS "ORDER BY prediction_id LIMIT ?7",
        place.result_id, place.port, std::string(grade_text(filter.grade)), filter.item_id, filter.error,
        ids_of(deciding), static_cast<std::int64_t>(limit));
    while (rows.next()) {
      samples.push_back({.item_id = rows.text(0),
                         .problem_id = rows.text(1),
                         .correct = truth_if(rows, 2),
                         .text = rows.text(3),
                         .extracted = rows.text_if(4),
                         .n_tokens = integer_if(rows, 5),
                         .truncated = !rows.null(6) && rows.integer(6) != 0,
                         .marks = {},
                         .question = {}});
    }
    return samples;
  });
}

#undef LB_SAMPLE_CONDITIONS

Result<std::vector<std::string>> ProjectFacts::errors_in(const std::vector<MarksPlace>& marks) {
  return db_->guarded("reading error types", [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> names;
    Rows rows = db_->query(
        "WITH marked AS (SELECT value AS result_id FROM json_each(?)), named AS ("
        "SELECT type AS name FROM grades JOIN marked USING (result_id) UNION "
        "SELECT category FROM grades JOIN marked USING (result_id) UNION "
        "SELECT type FROM verdicts JOIN marked USING (result_id) UNION "
        "SELECT category FROM verdicts JOIN marked USING (result_id)) "
        "SELECT name FROM named WHERE name IS NOT NULL ORDER BY name",
        ids_of(marks));
    while (rows.next()) names.push_back(rows.text(0));
    return names;
  });
}

Result<void> ProjectFacts::add_marks(const std::vector<MarksPlace>& marks, std::vector<Sample>& samples) {
  return db_->guarded("reading grades and verdicts", [&]() -> Result<void> {
    for (Sample& sample : samples) {
      for (const MarksPlace& place : marks) {
        Rows rows = db_->query(
            "SELECT source, '', correct, category, type, first_error_step FROM grades "
            "WHERE result_id = ?1 AND port = ?2 AND item_id = ?3 UNION ALL "
            "SELECT judge, status, NULL, category, type, first_error_step FROM verdicts "
            "WHERE result_id = ?1 AND port = ?2 AND item_id = ?3",
            place.result_id, place.port, sample.item_id);
        while (rows.next()) {
          sample.marks.push_back({.label = place.label,
                                  .source = rows.text(0),
                                  .status = rows.text(1),
                                  .correct = truth_if(rows, 2),
                                  .category = rows.text_if(3),
                                  .type = rows.text_if(4),
                                  .first_error_step = integer_if(rows, 5)});
        }
      }
    }
    return {};
  });
}

}  // namespace lowbit::store
