// Which printed figure of the paper stands beside which cell, and whether ours agrees with it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "domain/published.h"
#include "domain/table_spec.h"
#include "report/measured_table.h"

namespace lowbit::report {

/// Null where table, row and column do not name one, or it is not in the file.
[[nodiscard]] const PublishedFigure* published_at(const TableSpec& table, std::size_t row, std::size_t column,
                                                  const PublishedFigures& published);

/// A unit that our figures are printed in.
struct ShownUnit {
  std::string name;
  std::string stored;     ///< the unit of such metrics in the store; empty: not known, as of a sum
  double per_stored = 1;  ///< so many of it are one of those
};

[[nodiscard]] ShownUnit shown_unit(const MeasuredCell& cell, const ColumnSpec& column);
/// Whether the paper prints in another unit than we do. False where ours is not known.
[[nodiscard]] bool other_unit(const ShownUnit& ours, const PublishedFigure& figure);

/// The paper's figure in the units of the store: fractions, bytes. Empty: it is no number.
[[nodiscard]] std::optional<double> stored_value(const PublishedFigure& figure);

struct AgainstPublished {
  double ours = 0;               ///< in the paper's unit
  double difference = 0;         ///< ours minus theirs, in the paper's unit
  double stored_difference = 0;  ///< the same in the unit of the store
  std::optional<bool> inside;    ///< theirs lies in our interval over items; empty: there is none
};

/// Whether the cell holds one number that was measured.
[[nodiscard]] bool is_one_number(const MeasuredCell& cell);

/// Why the two have no difference, of a cell that is_one_number(); empty: they have one.
[[nodiscard]] std::string why_not_against(const MeasuredCell& cell, const ColumnSpec& column,
                                          const PublishedFigure& figure);

/// Empty where ours is not one number, or for why_not_against().
[[nodiscard]] std::optional<AgainstPublished> against(const MeasuredCell& cell, const ColumnSpec& column,
                                                      const PublishedFigure& figure);

}  // namespace lowbit::report
