#include "store/sqlite/metric_rows.h"

#include <limits>

namespace lowbit::store {

std::vector<MetricRow> metrics_of(Connection& db, std::int64_t result) {
  std::vector<MetricRow> metrics;
  Rows rows =
      db.query("SELECT name, unit, value, std_error, count FROM metrics WHERE result_id = ? ORDER BY name", result);
  while (rows.next()) {
    MetricRow metric{.name = rows.text(0), .unit = rows.text(1), .std_error = rows.real_if(3)};
    metric.value = rows.real_if(2).value_or(std::numeric_limits<double>::quiet_NaN());
    metric.count = static_cast<std::uint64_t>(rows.integer(4));
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace lowbit::store
