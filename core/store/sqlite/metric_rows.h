// The final metrics of a result. Private to store/sqlite.
#pragma once

#include <cstdint>
#include <vector>

#include "domain/result.h"
#include "store/sqlite/connection.h"

namespace lowbit::store {

/// By name. Throws inside a guard.
[[nodiscard]] std::vector<MetricRow> metrics_of(Connection& db, std::int64_t result);

}  // namespace lowbit::store
