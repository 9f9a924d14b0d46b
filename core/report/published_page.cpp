#include "report/published_page.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "report/number_text.h"
#include "report/published_cells.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

std::size_t digits_of(const std::string& printed) {
  const std::size_t point = printed.find('.');
  return point == std::string::npos ? 0 : printed.size() - point - 1;
}

const char* word_of(const std::optional<bool>& inside) { return !inside ? "–" : *inside ? "yes" : "no"; }

}  // namespace

std::vector<PublishedComparison> compare_published(const TableSpec& table, const MeasuredTable& measured,
                                                   const PublishedFigures& published) {
  std::vector<PublishedComparison> out;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const PublishedFigure* const figure = published_at(table, r, c, published);
      if (figure == nullptr) continue;
      PublishedComparison& one = out.emplace_back();
      one.table = table.name.value;
      one.row = table.rows[r].label.value;
      one.column = table.columns[c].label.value;
      one.paper = *figure;
      if (const auto measure = against(measured.rows[r][c], table.columns[c], *figure)) {
        one.ours = measure->ours;
        one.difference = measure->difference;
        one.inside = measure->inside;
      }
    }
  }
  return out;
}

QueryResult published_rows(const std::vector<PublishedComparison>& comparisons) {
  QueryResult out{
      .columns = {"table", "row", "column", "ours", "paper", "difference", "inside", "unit", "certain", "note"},
      .rows = {}};
  for (const PublishedComparison& one : comparisons) {
    const auto number = [](const std::optional<double>& value) {
      return value ? std::optional<Json>(*value) : std::nullopt;
    };
    out.rows.push_back({Json(one.table), Json(one.row), Json(one.column), number(one.ours), number(one.paper.value),
                        number(one.difference), one.inside ? std::optional<Json>(*one.inside) : std::nullopt,
                        Json(one.paper.unit), Json(one.paper.certain), Json(one.paper.note)});
  }
  return out;
}

std::string published_page(const std::vector<PublishedComparison>& comparisons, PageFormat format) {
  const bool text = format == PageFormat::text;
  const auto shown = [&](const std::string& cell) { return text ? printable(cell) : markdown_cell(cell); };
  TextGrid grid;
  grid.header = {"table", "row", "column", "ours", "paper", "ours − paper", "in our [95 %]"};
  grid.right = {false, false, false, true, true, true, false};
  std::size_t n_ours = 0;
  std::size_t n_intervals = 0;
  std::size_t n_inside = 0;
  bool uncertain = false;
  for (const PublishedComparison& one : comparisons) {
    const std::size_t digits = digits_of(one.paper.printed);
    grid.rows.push_back({shown(one.table), shown(one.row), shown(one.column), one.ours ? fixed(*one.ours, digits) : "·",
                         shown(one.paper.printed + (one.paper.certain ? "" : "?")),
                         one.difference ? fixed_signed(*one.difference, digits) : "·", word_of(one.inside)});
    n_ours += one.ours ? 1U : 0U;
    n_intervals += one.inside ? 1U : 0U;
    n_inside += one.inside == true ? 1U : 0U;
    uncertain = uncertain || !one.paper.certain;
  }
  const std::string bullet = text ? "" : "- ";
  std::string out = (text ? aligned(grid) : markdown(grid)) + "\n";
  out += bullet + std::to_string(n_ours) + " of " + std::to_string(comparisons.size()) +
         " figures of the paper have one of ours beside them; " + std::to_string(n_inside) + " of " +
         std::to_string(n_intervals) + " lie in our interval over items\n";
  if (uncertain) out += bullet + "?: the text that was read leaves the figure's place open\n";
  return out;
}

}  // namespace lowbit::report
