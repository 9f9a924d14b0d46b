// Opens results.db and sees that it is one, whole, and of a schema version this lowbit knows. Private to store/sqlite.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/open.h"

namespace lowbit::store {

[[nodiscard]] Result<std::unique_ptr<Connection>> open_connection(const std::filesystem::path& file, Access access,
                                                                  const OpenOptions& options);

}  // namespace lowbit::store
