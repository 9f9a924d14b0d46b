// What the figures of a table rest on, line by line: items, seeds, marks, intervals, comparisons, what is missing.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "domain/table_spec.h"
#include "report/measured_table.h"

namespace lowbit::report {

/// `rerun` is the command that makes what is missing.
[[nodiscard]] std::vector<std::string> table_notes(const TableSpec& table, const MeasuredTable& measured,
                                                   const std::string& rerun);

/// "2 answers without a grade count as wrong"
[[nodiscard]] std::string ungraded_note(std::size_t n);

/// Some row of the column has a standard deviation.
[[nodiscard]] bool has_deviation(const MeasuredTable& measured, std::size_t column);

}  // namespace lowbit::report
