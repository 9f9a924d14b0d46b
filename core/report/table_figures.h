// The figures of a table for programs: not rounded, one column each. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "domain/published.h"
#include "domain/query_result.h"
#include "domain/table_spec.h"
#include "report/measured_table.h"

namespace lowbit::report {

/// One row a row, one column a figure (`accuracy`, `accuracy: std`, ...), in the units of the store: fractions, bytes;
/// null for what is not there. With `published` the paper's figure and our difference to it, in those units too, and
/// whether it lies in our interval follow every column that has such figures.
[[nodiscard]] QueryResult figures(const TableSpec& table, const MeasuredTable& measured,
                                  const PublishedFigures* published = nullptr);

/// What stands over the figures of a list: the ends of their metrics' names, as they were found where a column has a
/// pattern.
[[nodiscard]] std::vector<std::string> list_headings(const ColumnSpec& column, const MeasuredTable& measured,
                                                     std::size_t c);

/// The comparisons: difference, interval, standard error, items, p-values.
[[nodiscard]] QueryResult comparisons(const TableSpec& table, const MeasuredTable& measured);

}  // namespace lowbit::report
