#include "report/published_page.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "base/words.h"
#include "report/number_text.h"
#include "report/printed_table.h"
#include "report/published_cells.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

constexpr const char* kNoResult = "·";
constexpr const char* kNoDifference = "–";
constexpr std::size_t kPlacesListed = 4;

std::size_t digits_of(const std::string& printed) {
  const std::size_t point = printed.find('.');
  return point == std::string::npos ? 0 : printed.size() - point - 1;
}

/// With the digits of the paper's where it can be held against it, else as our table has it.
void add_ours(PublishedComparison& one, const MeasuredCell& cell, const ColumnSpec& column) {
  one.shown = joined(printed_cell(cell, column).parts, " ");
  if (!is_one_number(cell)) return;
  const ShownUnit unit = shown_unit(cell, column);
  if (const auto measure = against(cell, column, one.paper)) {
    one.ours = measure->ours;
    one.unit = one.paper.unit;
    one.shown = fixed(measure->ours, digits_of(one.paper.printed));
    one.difference = measure->difference;
    one.inside = measure->inside;
  } else {
    one.ours = unit.per_stored * cell.figures[0].value;
    one.unit = unit.name;
    one.shown = printed_cell(cell, column).parts[0];
    one.why_not = why_not_against(cell, column, one.paper);
  }
}

const char* word_of(const std::optional<bool>& inside) { return !inside ? kNoDifference : *inside ? "yes" : "no"; }

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
      add_ours(one, measured.rows[r][c], table.columns[c]);
    }
  }
  return out;
}

QueryResult published_rows(const std::vector<PublishedComparison>& comparisons) {
  QueryResult out{.columns = {"table", "row", "column", "ours", "paper", "difference", "inside", "unit", "certain",
                              "note", "our unit", "why no difference"},
                  .rows = {}};
  for (const PublishedComparison& one : comparisons) {
    const auto number = [](const std::optional<double>& value) {
      return value ? std::optional<Json>(*value) : std::nullopt;
    };
    const auto text = [](const std::string& word) { return word.empty() ? std::nullopt : std::optional<Json>(word); };
    out.rows.push_back({Json(one.table), Json(one.row), Json(one.column), number(one.ours), number(one.paper.value),
                        number(one.difference), one.inside ? std::optional<Json>(*one.inside) : std::nullopt,
                        Json(one.paper.unit), Json(one.paper.certain), Json(one.paper.note), text(one.unit),
                        text(one.why_not)});
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
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;  // with the places that they stand for
  for (const PublishedComparison& one : comparisons) {
    const std::size_t digits = digits_of(one.paper.printed);
    const std::string none = one.shown == kNoResult ? kNoResult : kNoDifference;
    grid.rows.push_back({shown(one.table), shown(one.row), shown(one.column), shown(one.shown),
                         shown(one.paper.printed + (one.paper.certain ? "" : "?")),
                         one.difference ? fixed_signed(*one.difference, digits) : none, word_of(one.inside)});
    n_ours += one.ours ? 1U : 0U;
    n_intervals += one.inside ? 1U : 0U;
    n_inside += one.inside == true ? 1U : 0U;
    uncertain = uncertain || !one.paper.certain;
    if (one.why_not.empty()) continue;
    auto known = std::find_if(reasons.begin(), reasons.end(), [&](const auto& r) { return r.first == one.why_not; });
    if (known == reasons.end()) known = reasons.insert(known, {one.why_not, {}});
    known->second.push_back(one.table + " / " + one.row + " / " + one.column);
  }
  std::string out = (text ? aligned(grid) : markdown(grid)) + "\n";
  const auto line = [&](const std::string& words) {
    out += text ? printable(words) + "\n" : "- " + markdown_line(words) + "\n";
  };
  line(std::to_string(n_ours) + " of " + std::to_string(comparisons.size()) +
       " figures of the paper have one of ours beside them; " + std::to_string(n_inside) + " of " +
       std::to_string(n_intervals) + " lie in our interval over items");
  for (const auto& [reason, places] : reasons) {
    line("no difference: " + reason + ": " + listed(places, kPlacesListed));
  }
  if (uncertain) line("?: the text that was read leaves the figure's place open");
  return out;
}

}  // namespace lowbit::report
