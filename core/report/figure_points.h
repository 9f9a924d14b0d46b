// What a figure asks of the results, as a table: its quantities are the columns, its points the rows. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/figure_spec.h"
#include "domain/study_results.h"

namespace lowbit::report {

/// What stands for one value of each axis of `by`.
struct PointsOfRow {
  std::string id;     ///< rtn, or rtn-16 for a value of an axis of `by`
  std::string label;  ///< with the values
  bool baseline = false;
  std::size_t first = 0;  ///< of its points among the rows of the table
  /// One a point: the values on the axes of `over`, in the order of the experiment.
  std::vector<std::vector<std::pair<std::string, Json>>> points;
};

struct FigurePoints {
  TableSpec table;
  std::vector<PointsOfRow> rows;
};

/// LB7040 a row leaves axes open that no stage of it has; LB7041 it has no points on an axis; a radar of more than four
/// rows. What a row names else is looked up by find_sources().
[[nodiscard]] Result<FigurePoints> points_of(const FigureSpec& figure, const StudyResults& study);

}  // namespace lowbit::report
