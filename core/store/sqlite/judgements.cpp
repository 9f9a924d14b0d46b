// What judges said, as it is compared with one another.
#include "store/project_facts.h"
#include "store/sqlite/open_connection.h"

namespace lowbit::store {

Result<std::vector<Judgement>> ProjectFacts::judgements(const std::string& experiment) {
  return db_->guarded("reading verdicts", [&]() -> Result<std::vector<Judgement>> {
    std::vector<Judgement> judgements;
    // A result that several variants lead to counts once, as the first of them: with min(), SQLite takes the other
    // columns from its row.
    Rows rows = db_->query(
        "WITH judged AS ("
        "  SELECT r.result_id, min(e.position) AS position, e.label, json_extract(e.coordinates, '$.seed') AS seed, "
        "    coalesce(r.content_record ->> '$.inputs.predictions.digest', r.content_record -> '$.inputs.predictions') "
        "      AS predictions "
        "  FROM expansions e JOIN provenance p ON p.provenance_key = e.provenance_key "
        "  JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 "
        "  WHERE e.experiment = ?1 GROUP BY r.result_id) "
        "SELECT j.predictions, v.item_id, v.judge, j.label, j.seed, v.status, v.category, v.type, v.first_error_step "
        "FROM judged j JOIN verdicts v ON v.result_id = j.result_id "
        "WHERE j.predictions IS NOT NULL AND v.judge <> ?2 ORDER BY j.position, v.verdict_id",
        experiment, kTruthJudge);
    while (rows.next()) {
      judgements.push_back({.predictions = rows.text(0),
                            .item_id = rows.text(1),
                            .judge = rows.text(2),
                            .label = rows.text(3),
                            .seed = rows.null(4) ? std::nullopt : std::optional(rows.integer(4)),
                            .status = rows.text(5),
                            .category = rows.text_if(6),
                            .type = rows.text_if(7),
                            .first_error_step = rows.null(8) ? std::nullopt : std::optional(rows.integer(8))});
    }
    return judgements;
  });
}

}  // namespace lowbit::store
