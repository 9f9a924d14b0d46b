// The schema of results.db in numbered steps (schemas/migrations). PRAGMA user_version says how far a file has come.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lowbit::store {

class Connection;

/// PRAGMA application_id of every results.db: "lowb".
constexpr std::int64_t kApplicationId = 0x6C6F7762;

struct Migration {
  int version = 0;
  std::string_view sql;
};

/// Those of schemas/migrations: versions 1, 2, 3, ...
[[nodiscard]] const std::vector<Migration>& embedded_migrations();

/// What the file says it is. `empty`: nothing was ever stored in it.
struct SchemaState {
  int version = 0;
  bool empty = true;
};

/// LB6004 when another program made the file, LB6003 when a newer lowbit did (newer than `newest`).
[[nodiscard]] Result<SchemaState> schema_state(Connection& db, int newest);

/// Brings the file up to the last of `migrations`, each in its own transaction: after a failure or a kill it stands
/// at a whole version. REQUIRES: schema_state() is ok.
[[nodiscard]] Result<void> migrate(Connection& db, const std::vector<Migration>& migrations);

}  // namespace lowbit::store
