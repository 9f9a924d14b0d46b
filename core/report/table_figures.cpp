#include "report/table_figures.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/glob.h"
#include "base/words.h"
#include "report/published_cells.h"

namespace lowbit::report {
namespace {

using Kind = ColumnSpec::Kind;
using Content = MeasuredCell::Content;
using Row = std::vector<std::optional<Json>>;

std::optional<Json> number(const Figure& figure) {
  return figure.state == Figure::State::number ? std::optional<Json>(figure.value) : std::nullopt;
}

void append_figures(Row& row, const MeasuredCell& cell, const ColumnSpec& column) {
  const std::size_t begin = row.size();
  const std::size_t n = column.kind == Kind::accuracy ? 5
                        : column.is_share()           ? 4
                        : column.kind == Kind::list   ? column.metrics.size()
                                                      : 1;
  row.resize(begin + n);
  if (cell.content == Content::given) row[begin] = cell.given;
  for (std::size_t i = 0; i < cell.figures.size(); ++i) row[begin + i] = number(cell.figures[i]);
  if (cell.deviation) row[begin + 1] = *cell.deviation;
  if (!cell.interval) return;
  row[begin + n - 3] = cell.interval->low;
  row[begin + n - 2] = cell.interval->high;
  row[begin + n - 1] = cell.n_items;
}

void append_published(QueryResult& out, const TableSpec& table, const MeasuredTable& measured, std::size_t c,
                      const PublishedFigures& published) {
  std::vector<Row> columns;
  bool some = false;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    Row& cells = columns.emplace_back(3);
    const PublishedFigure* const figure = published_at(table, r, c, published);
    if (figure == nullptr) continue;
    some = true;
    if (const auto value = stored_value(*figure)) cells[0] = *value;
    if (const auto measure = against(measured.rows[r][c], table.columns[c], *figure)) {
      cells[1] = measure->stored_difference;
      if (measure->inside) cells[2] = *measure->inside;
    }
  }
  if (!some) return;
  for (const char* part : {": paper", ": ours minus paper", ": paper inside"}) {
    out.columns.push_back(table.columns[c].label.value + part);
  }
  for (std::size_t r = 0; r < columns.size(); ++r) {
    out.rows[r].insert(out.rows[r].end(), columns[r].begin(), columns[r].end());
  }
}

/// The metric that stands behind figure `i` of a list's cell; empty where it is no number.
std::string metric_behind(const MeasuredCell& cell, std::size_t i, const std::string& pattern) {
  if (i >= cell.figures.size() || cell.figures[i].state != Figure::State::number) return {};
  // A cell borrows a variant for each of its numbers.
  const auto n = std::count_if(cell.figures.begin(), cell.figures.begin() + static_cast<long>(i),
                               [](const Figure& figure) { return figure.state == Figure::State::number; });
  for (const auto& [name, metric] : cell.variants[static_cast<std::size_t>(n)]->metrics) {
    if (matches_glob(pattern, name)) return name;
  }
  return {};
}

}  // namespace

std::vector<std::string> list_headings(const ColumnSpec& column, const MeasuredTable& measured, std::size_t c) {
  const auto end_of = [](const std::string& name) { return name.substr(name.rfind('/') + 1); };
  std::vector<std::string> headings;
  for (std::size_t i = 0; i < column.metrics.size(); ++i) {
    const std::string& pattern = column.metrics[i].metric.value;
    std::vector<std::string> found;
    for (const auto& row : measured.rows) {
      const std::string name = metric_behind(row[c], i, pattern);
      if (!name.empty() && std::find(found.begin(), found.end(), end_of(name)) == found.end()) {
        found.push_back(end_of(name));
      }
    }
    headings.push_back(found.empty() ? end_of(pattern) : joined(found, " or "));
  }
  return headings;
}

QueryResult figures(const TableSpec& table, const MeasuredTable& measured, const PublishedFigures* published) {
  QueryResult out{.columns = {"row", "model"}, .rows = {}};
  for (const RowSpec& row : table.rows) out.rows.push_back({Json(row.id.value), Json(row.label.value)});
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const ColumnSpec& column = table.columns[c];
    const std::string& label = column.label.value;
    if (column.kind == Kind::list) {
      for (const std::string& heading : list_headings(column, measured, c)) {
        out.columns.push_back(label + ": " + heading);
      }
    } else {
      out.columns.push_back(label);
    }
    if (column.kind == Kind::accuracy) out.columns.push_back(label + ": std");
    if (column.is_share()) {
      for (const char* part : {": low", ": high", ": n"}) out.columns.push_back(label + part);
    }
    for (std::size_t r = 0; r < table.rows.size(); ++r) append_figures(out.rows[r], measured.rows[r][c], column);
    if (published != nullptr) append_published(out, table, measured, c, *published);
  }
  return out;
}

QueryResult comparisons(const TableSpec& table, const MeasuredTable& measured) {
  QueryResult out{
      .columns = {"comparison", "a", "b", "difference", "low", "high", "std_error", "n", "test", "p", "p_holm"},
      .rows = {}};
  for (std::size_t i = 0; i < table.comparisons.size(); ++i) {
    const ComparisonSpec& spec = table.comparisons[i];
    const MeasuredComparison& comparison = measured.comparisons[i];
    Row& row = out.rows.emplace_back(out.columns.size());
    row[0] = comparison.label;
    row[1] = spec.a.value;
    row[2] = spec.b.value;
    if (!comparison.cell.interval) continue;
    row[3] = comparison.cell.figures[0].value;
    row[4] = comparison.cell.interval->low;
    row[5] = comparison.cell.interval->high;
    row[6] = comparison.cell.std_error;
    row[7] = comparison.cell.n_items;
    row[8] = comparison.mcnemar ? "mcnemar" : "permutation";
    row[9] = comparison.p_value;
    row[10] = comparison.p_adjusted;
  }
  return out;
}

}  // namespace lowbit::report
