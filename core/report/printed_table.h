// A measured table as it is printed in every form: numbers rounded, here and nowhere else; best and second found; what
// the numbers rest on, line by line. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "domain/published.h"
#include "domain/table_spec.h"
#include "report/comparison_identity.h"
#include "report/measured_table.h"

namespace lowbit::report {

struct PrintedCell {
  enum class Mark { none, best, second };
  /// The number and what belongs to it ("± 1.2", "[40.1, 43.0]"), each under its like in the column; a list has one
  /// number a metric.
  std::vector<std::string> parts;
  bool number = false;  ///< parts are numbers, with a true minus sign; else a text
  Mark mark = Mark::none;
};

struct PrintedColumn {
  std::string group;  ///< over it and its neighbours of the same group; empty: none
  std::string header;
  std::vector<std::string> parts;  ///< names of the metrics of a list
};

struct PrintedRow {
  std::string group;
  std::string label;
  std::vector<PrintedCell> cells;
};

struct PrintedTable {
  std::string title;
  std::vector<PrintedColumn> columns;
  std::vector<PrintedRow> rows;
  bool marks = false;              ///< some cell is marked
  std::vector<std::string> notes;  ///< what stands under the table
  std::string source;              ///< command, experiment and digest of the results, for a comment; without a date
};

struct PrintContext {
  std::string rerun;                            ///< the command that makes what is missing
  std::string command;                          ///< the one that prints the table
  const PublishedFigures* published = nullptr;  ///< with it, every column that has such figures is followed by them
  Identity* identity = nullptr;                 ///< says which figures may be ranked; without it none are
};

/// The cell by itself, rounded.
[[nodiscard]] PrintedCell printed_cell(const MeasuredCell& cell, const ColumnSpec& column);

/// · stands for a result that is not there yet, – for what does not apply.
[[nodiscard]] PrintedTable print(const TableSpec& table, const MeasuredTable& measured, const PrintContext& context);

}  // namespace lowbit::report
