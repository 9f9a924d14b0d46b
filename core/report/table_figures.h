// The figures of a table for programs: not rounded, one column each. Pure.
#pragma once

#include "domain/published.h"
#include "domain/query_result.h"
#include "domain/table_spec.h"
#include "report/measured_table.h"

namespace lowbit::report {

/// One row a row, one column a figure (`accuracy`, `accuracy: std`, ...), in the units of the store: fractions, bytes;
/// null for what is not there. With `published` the paper's figure, in the paper's unit, our difference to it, and
/// whether it lies in our interval follow every column that has such figures.
[[nodiscard]] QueryResult figures(const TableSpec& table, const MeasuredTable& measured,
                                  const PublishedFigures* published = nullptr);

/// The comparisons: difference, interval, standard error, items, p-values.
[[nodiscard]] QueryResult comparisons(const TableSpec& table, const MeasuredTable& measured);

}  // namespace lowbit::report
