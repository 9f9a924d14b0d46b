#include "report/published_cells.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

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

ShownUnit shown_unit(const MeasuredCell& cell, const ColumnSpec& column) {
  if (column.kind == ColumnSpec::Kind::delta) return {"points", "fraction", 100};
  if (column.percent) return {"percent", "fraction", 100};
  const std::string& unit = column.unit.value;
  if (!unit.empty()) return {unit, "bytes", unit == "kB" ? 1e-3 : unit == "MB" ? 1e-6 : 1e-9};
  std::string stored;
  if (!cell.metrics.empty() && !cell.variants.empty()) {
    const auto metric = cell.variants.front()->metrics.find(*cell.metrics.begin());
    if (metric != cell.variants.front()->metrics.end()) stored = metric->second.unit;
  }
  return {stored, stored, 1};
}

bool other_unit(const ShownUnit& ours, const PublishedFigure& figure) {
  const PublishedUnit* const theirs = published_unit(figure.unit);
  if (ours.stored.empty() || theirs == nullptr) return false;
  return ours.stored != theirs->stored || ours.per_stored != theirs->per_stored;
}

std::optional<double> stored_value(const PublishedFigure& figure) {
  const PublishedUnit* const unit = published_unit(figure.unit);
  if (!figure.value || unit == nullptr) return figure.value;
  // 93.1 percent are 0.931 and not what 93.1 / 100 is rounded to.
  if (unit->per_stored == 100 && figure.printed.find_first_of("eE") == std::string::npos) {
    const std::string hundredth = figure.printed + "e-2";
    double value = 0;
    const char* const end = hundredth.data() + hundredth.size();
    const auto [read_to, failure] = std::from_chars(hundredth.data(), end, value);
    if (failure == std::errc() && read_to == end) return value;
  }
  return *figure.value / unit->per_stored;
}

bool is_one_number(const MeasuredCell& cell) {
  return cell.content == MeasuredCell::Content::figures && cell.figures.size() == 1 &&
         cell.figures[0].state == Figure::State::number;
}

std::string why_not_against(const MeasuredCell& cell, const ColumnSpec& column, const PublishedFigure& figure) {
  if (!figure.value) return "the paper prints " + figure.printed;
  const ShownUnit ours = shown_unit(cell, column);
  const PublishedUnit* const theirs = published_unit(figure.unit);
  if (theirs != nullptr && ours.stored == theirs->stored) return {};
  return "units differ: " + (ours.name.empty() ? "ours is not known" : "ours is " + ours.name) + ", the paper's " +
         figure.unit;
}

std::optional<AgainstPublished> against(const MeasuredCell& cell, const ColumnSpec& column,
                                        const PublishedFigure& figure) {
  if (!is_one_number(cell) || !why_not_against(cell, column, figure).empty()) return std::nullopt;
  const double stored = *stored_value(figure);
  AgainstPublished out;
  out.ours = published_unit(figure.unit)->per_stored * cell.figures[0].value;
  out.difference = out.ours - *figure.value;
  out.stored_difference = cell.figures[0].value - stored;
  if (cell.interval) out.inside = cell.interval->low <= stored && stored <= cell.interval->high;
  return out;
}

}  // namespace lowbit::report
