// A measured table as people read it, and as programs do. Numbers are rounded here and nowhere else. Pure.
#pragma once

#include <string>

#include "domain/query_result.h"
#include "domain/table_spec.h"
#include "report/measured_table.h"

namespace lowbit::report {

enum class PageFormat { text, markdown };

/// Title, table, and under it what the numbers rest on; ends in a newline. · stands for a result that is not there yet,
/// – for what does not apply. `rerun` is the command that makes what is missing.
[[nodiscard]] std::string render(const TableSpec& table, const MeasuredTable& measured, const std::string& rerun,
                                 PageFormat format);

/// One row a row, one column a figure (`accuracy`, `accuracy: std`, ...), in the units of the store: fractions, bytes;
/// null for what is not there.
[[nodiscard]] QueryResult figures(const TableSpec& table, const MeasuredTable& measured);

}  // namespace lowbit::report
