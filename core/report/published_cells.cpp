#include "report/published_cells.h"

#include <algorithm>
#include <string>

namespace lowbit::report {
namespace {

/// What the row says goes before what the column says, and that before the table.
std::string part_of(const TableSpec& table, const ColumnSpec& column, const RowSpec& row, Text PublishedPlace::*part) {
  for (const PublishedPlace* place : {&row.published, &column.published, &table.published}) {
    if (!((*place).*part).value.empty()) return ((*place).*part).value;
  }
  return {};
}

}  // namespace

const PublishedFigure* published_at(const TableSpec& table, std::size_t row, std::size_t column,
                                    const PublishedFigures& published) {
  const RowSpec& r = table.rows[row];
  const ColumnSpec& c = table.columns[column];
  // A row alone would stand beside every column.
  const bool column_says =
      !c.published.column.value.empty() || !c.published.table.value.empty() || !c.published.row.value.empty();
  if (!column_says) return nullptr;
  const std::string of_table = part_of(table, c, r, &PublishedPlace::table);
  std::string of_row = part_of(table, c, r, &PublishedPlace::row);
  if (of_row.empty()) of_row = r.label.value;
  std::string of_column = part_of(table, c, r, &PublishedPlace::column);
  if (!r.published.column.value.empty() && !c.published.column.value.empty()) {
    of_column = r.published.column.value + " " + c.published.column.value;
  }
  const auto found = std::find_if(published.figures.begin(), published.figures.end(), [&](const PublishedFigure& f) {
    return f.table == of_table && f.row == of_row && f.column == of_column;
  });
  return found == published.figures.end() ? nullptr : &*found;
}

std::optional<AgainstPublished> against(const MeasuredCell& cell, const ColumnSpec& column,
                                        const PublishedFigure& figure) {
  if (cell.content != MeasuredCell::Content::figures || cell.figures.size() != 1) return std::nullopt;
  if (cell.figures[0].state != Figure::State::number || !column.unit.value.empty()) return std::nullopt;
  if (!figure.value) return std::nullopt;
  const bool percent = figure.unit == "percent" || figure.unit == "points";
  if (percent != column.percent) return std::nullopt;
  const double factor = percent ? 100 : 1;
  AgainstPublished out;
  out.ours = factor * cell.figures[0].value;
  out.difference = out.ours - *figure.value;
  if (cell.interval) {
    out.inside = factor * cell.interval->low <= *figure.value && *figure.value <= factor * cell.interval->high;
  }
  return out;
}

}  // namespace lowbit::report
