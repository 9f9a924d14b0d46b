// Which printed figure of the paper stands beside which cell, and whether ours agrees with it. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "domain/published.h"
#include "domain/table_spec.h"
#include "report/measured_table.h"

namespace lowbit::report {

/// Null where table, row and column do not name one, or it is not in the file.
[[nodiscard]] const PublishedFigure* published_at(const TableSpec& table, std::size_t row, std::size_t column,
                                                  const PublishedFigures& published);

struct AgainstPublished {
  double ours = 0;             ///< in the paper's unit
  double difference = 0;       ///< ours minus theirs
  std::optional<bool> inside;  ///< theirs lies in our interval over items; empty: there is none
};

/// Empty where one of them is no number, or the units differ.
[[nodiscard]] std::optional<AgainstPublished> against(const MeasuredCell& cell, const ColumnSpec& column,
                                                      const PublishedFigure& figure);

}  // namespace lowbit::report
