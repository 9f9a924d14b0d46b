// Rows of predictions, verdicts and grades from the lines of those artifacts. Private to store/sqlite.
#pragma once

#include <string>

#include "store/sqlite/connection.h"
#include "store/store.h"

namespace lowbit::store {

/// REQUIRES: inside a transaction. Artifact types without an item table are refused (LB6011).
[[nodiscard]] Result<void> insert_items(Connection& db, std::int64_t result, const std::string& port,
                                        const std::string& artifact_type, const std::vector<ItemRow>& items);

}  // namespace lowbit::store
