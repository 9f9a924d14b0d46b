// A table of cells as a query gives it; report/text_table.h renders it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace lowbit {

/// Every row has one cell per column. Null cells are empty optionals; the others hold numbers or text (numbers are
/// finite; a blob stands as the text x'0a1b').
struct QueryResult {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<Json>>> rows;
};

}  // namespace lowbit
