#include "store/result_rows.h"

#include <utility>

#include "store/sqlite/open_connection.h"

namespace lowbit::store {
namespace {

Rows items_of(Connection& db, std::int64_t result, ItemKind kind) {
  switch (kind) {
    case ItemKind::verdicts:
      return db.query("SELECT port, item_id, fields FROM verdicts WHERE result_id = ? ORDER BY verdict_id", result);
    case ItemKind::grades:
      return db.query("SELECT port, item_id, fields FROM grades WHERE result_id = ? ORDER BY grade_id", result);
    case ItemKind::predictions: break;
  }
  return db.query("SELECT port, item_id, fields FROM predictions WHERE result_id = ? ORDER BY prediction_id", result);
}

}  // namespace

ResultRows::ResultRows(std::unique_ptr<Connection> db) : db_(std::move(db)) {}
ResultRows::~ResultRows() = default;
ResultRows::ResultRows(ResultRows&&) noexcept = default;
ResultRows& ResultRows::operator=(ResultRows&&) noexcept = default;

Result<ResultRows> ResultRows::open(const std::filesystem::path& database) {
  LB_TRY_ASSIGN(std::unique_ptr<Connection> db, open_connection(database, Access::read_only, {}));
  return ResultRows(std::move(db));
}

Result<void> ResultRows::each_point(std::int64_t result, const std::function<Result<void>(const CurveRow&)>& visit) {
  return db_->guarded("reading curves", [&]() -> Result<void> {
    Rows rows = db_->query(
        "SELECT name, step, unit, value, std_error, count FROM curves WHERE result_id = ? ORDER BY name, step", result);
    while (rows.next()) {
      LB_TRY(visit({.name = rows.text(0),
                    .step = rows.integer(1),
                    .unit = rows.text(2),
                    .value = rows.real_if(3),
                    .std_error = rows.real_if(4),
                    .count = rows.integer(5)}));
    }
    return {};
  });
}

Result<void> ResultRows::each_item(std::int64_t result, ItemKind kind,
                                   const std::function<Result<void>(const ItemLine&)>& visit) {
  return db_->guarded("reading items", [&]() -> Result<void> {
    Rows rows = items_of(*db_, result, kind);
    while (rows.next()) LB_TRY(visit({.port = rows.text(0), .item_id = rows.text(1), .fields = rows.json(2)}));
    return {};
  });
}

}  // namespace lowbit::store
