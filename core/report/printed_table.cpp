#include "report/printed_table.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/digest.h"
#include "base/words.h"
#include "domain/coordinates.h"
#include "domain/metric_registry.h"
#include "report/number_text.h"
#include "report/published_cells.h"
#include "report/table_figures.h"
#include "report/table_notes.h"

namespace lowbit::report {
namespace {

using Kind = ColumnSpec::Kind;
using Content = MeasuredCell::Content;
using CellMark = PrintedCell::Mark;

constexpr std::size_t kDigestDigits = 12;

double factor_of(const ColumnSpec& column) {
  if (column.percent) return 100;
  if (column.unit.value == "kB") return 1e-3;
  if (column.unit.value == "MB") return 1e-6;
  return column.unit.value == "GB" ? 1e-9 : 1;
}

std::string text_of(const Figure& figure, const ColumnSpec& column) {
  switch (figure.state) {
    case Figure::State::absent: return "–";
    case Figure::State::missing: return "·";
    case Figure::State::not_a_number: return "nan";
    case Figure::State::number: break;
  }
  const double shown = figure.value * factor_of(column);
  return column.kind == Kind::delta ? fixed_signed(shown, column.digits) : fixed(shown, column.digits);
}

std::string header_of(const ColumnSpec& column, bool deviation) {
  std::string header = column.label.value;
  if (column.kind == Kind::delta) return header + " (points) [95 %]";
  if (column.percent && header.find('%') == std::string::npos) header += " (%)";
  if (!column.unit.value.empty()) header += " (" + column.unit.value + ")";
  if (column.kind == Kind::share) header += " [95 %]";
  if (column.kind == Kind::accuracy) header += deviation ? " ± std [95 %]" : " [95 %]";
  return header;
}

/// Marks the best and the second of one column.
class Ranking {
 public:
  Ranking(const TableSpec& table, const MeasuredTable& measured, Identity& identity, PrintedTable& out)
      : table_(table), measured_(measured), identity_(identity), out_(out) {}

  /// `at`: where column `c` of the spec is printed.
  void column(std::size_t c, std::size_t at) {
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      const MeasuredCell& cell = measured_.rows[r][c];
      const bool number = cell.content == Content::figures && cell.figures.size() == 1 &&
                          cell.figures[0].state == Figure::State::number;
      if (number && !table_.rows[r].reference) groups[table_.rows[r].group.value].push_back(r);
    }
    for (const auto& [name, rows] : groups) {
      if (rows.size() > 1) group(c, at, rows);
    }
  }

  /// Of the columns in which some group was left unmarked, and why.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  [[nodiscard]] Better direction(std::size_t c, const std::vector<std::size_t>& rows) const {
    const ColumnSpec& column = table_.columns[c];
    if (column.best) return *column.best;
    if (column.kind == Kind::accuracy) return Better::up;
    if (column.kind != Kind::value && column.kind != Kind::share && column.kind != Kind::mean) return Better::none;
    std::optional<Better> better;
    for (const std::string& name : measured_.rows[rows.front()][c].metrics) {
      const MetricDefinition* const metric = find_metric(name);
      const Better one = metric == nullptr ? Better::none : metric->better;
      if (better && *better != one) return Better::none;
      better = one;
    }
    return better.value_or(Better::none);
  }

  /// Why two figures are not to be ranked, if they are not.
  std::optional<std::string> why_not(const MeasuredCell& a, const MeasuredCell& b) {
    if (a.metrics != b.metrics) return "the rows measure " + *a.metrics.begin() + " and " + *b.metrics.begin();
    for (std::size_t i = 0; i < a.variants.size(); ++i) {
      if (auto difference = identity_.difference(*a.variants[i], *b.variants[i])) return difference;
    }
    return std::nullopt;
  }

  void group(std::size_t c, std::size_t at, std::vector<std::size_t> rows) {
    const Better better = direction(c, rows);
    if (better == Better::none) return;
    for (const std::size_t row : rows) {
      const auto reason = why_not(measured_.rows[rows.front()][c], measured_.rows[row][c]);
      if (!reason) continue;
      notes_.push_back("best not marked in " + table_.columns[c].label.value + ": " + *reason);
      return;
    }
    const auto value = [&](std::size_t r) { return measured_.rows[r][c].figures[0].value; };
    std::sort(rows.begin(), rows.end(), [&](std::size_t x, std::size_t y) {
      return better == Better::up ? value(x) > value(y) : value(x) < value(y);
    });
    const auto text = [&](std::size_t r) -> const std::string& { return out_.rows[r].cells[at].parts[0]; };
    const std::string& best = text(rows.front());
    std::optional<std::string> second;
    if (text(rows.back()) == best) return;  // all alike
    for (const std::size_t r : rows) {
      if (text(r) != best && !second) second = text(r);
      if (text(r) == best || text(r) == second) {
        out_.rows[r].cells[at].mark = text(r) == best ? CellMark::best : CellMark::second;
        out_.marks = true;
      }
    }
  }

  const TableSpec& table_;
  const MeasuredTable& measured_;
  Identity& identity_;
  PrintedTable& out_;
  std::vector<std::string> notes_;
};

class Printing {
 public:
  Printing(const TableSpec& table, const MeasuredTable& measured, const PrintContext& context)
      : table_(table), measured_(measured), context_(context), published_(context.published) {}

  PrintedTable run() {
    out_.title = table_.title;
    for (const RowSpec& row : table_.rows) out_.rows.push_back({row.group.value, row.label.value, {}});
    std::optional<Ranking> ranking;
    if (context_.identity != nullptr) ranking.emplace(table_, measured_, *context_.identity, out_);
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      const std::size_t at = out_.columns.size();
      column(c);
      if (ranking && table_.ranks(c)) ranking->column(c, at);
      if (published_ != nullptr) published_column(c);
    }
    out_.notes = table_notes(table_, measured_, context_.rerun);
    if (ranking) out_.notes.insert(out_.notes.end(), ranking->notes().begin(), ranking->notes().end());
    published_notes();
    std::string keys;
    for (const std::string& key : measured_.content_keys) keys += key + '\n';
    out_.source = context_.command + "; results " + sha256(keys).brief(kDigestDigits);
    return std::move(out_);
  }

 private:
  void column(std::size_t c) {
    const ColumnSpec& column = table_.columns[c];
    PrintedColumn head{
        .group = column.group.value, .header = header_of(column, has_deviation(measured_, c)), .parts = {}};
    if (column.kind == Kind::list) head.parts = list_headings(column, measured_, c);
    out_.columns.push_back(std::move(head));
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      out_.rows[r].cells.push_back(printed_cell(measured_.rows[r][c], column));
    }
  }

  void published_column(std::size_t c) {
    std::vector<PrintedCell> cells;
    bool some = false;
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      const PublishedFigure* const figure = published_at(table_, r, c, *published_);
      some = some || figure != nullptr;
      cells.push_back({.parts = {"–"}, .number = true});
      if (figure == nullptr) continue;
      cells.back().parts[0] = figure->printed + (figure->certain ? "" : "?");
      uncertain_ = uncertain_ || !figure->certain;
      const ShownUnit ours = shown_unit(measured_.rows[r][c], table_.columns[c]);
      if (other_unit(ours, *figure)) {
        remarks_[table_.columns[c].label.value + " in " + figure->unit + ", ours in " + ours.name].push_back(
            table_.rows[r].label.value);
      }
      if (!figure->note.empty()) remarks_[figure->note].push_back(table_.rows[r].label.value);
    }
    if (!some) return;
    shown_ = true;
    out_.columns.push_back({.group = table_.columns[c].group.value, .header = "paper", .parts = {}});
    for (std::size_t r = 0; r < cells.size(); ++r) out_.rows[r].cells.push_back(std::move(cells[r]));
  }

  void published_notes() {
    if (published_ == nullptr) return;
    out_.notes.push_back(shown_ ? "paper: as printed in the source paper, beside our figure" +
                                      std::string(uncertain_ ? "; ?: the text that was read leaves its place open" : "")
                                : "no figure of the source paper stands for a cell of this table");
    for (const auto& [remark, rows] : remarks_) {
      out_.notes.push_back("paper, " + listed(rows, 4) + ": " + remark);
    }
  }

  const TableSpec& table_;
  const MeasuredTable& measured_;
  const PrintContext& context_;
  const PublishedFigures* published_;
  PrintedTable out_;
  bool shown_ = false;
  bool uncertain_ = false;
  std::map<std::string, std::vector<std::string>> remarks_;  ///< of the paper's figures, with the rows they stand in
};

}  // namespace

PrintedCell printed_cell(const MeasuredCell& cell, const ColumnSpec& column) {
  if (cell.content == Content::given) return {.parts = {scalar_text(cell.given)}};
  if (cell.content == Content::baseline) return {.parts = {"baseline"}};
  PrintedCell out{.parts = {}, .number = true};
  for (const Figure& figure : cell.figures) out.parts.push_back(text_of(figure, column));
  if (!column.is_share()) return out;
  const auto number = [&](double value) {
    return column.kind == Kind::delta ? fixed_signed(100 * value, column.digits) : fixed(100 * value, column.digits);
  };
  if (column.kind == Kind::accuracy) {
    out.parts.push_back(cell.deviation ? "± " + fixed(100 * *cell.deviation, column.digits) : "");
  }
  out.parts.push_back(cell.interval ? "[" + number(cell.interval->low) + ", " + number(cell.interval->high) + "]" : "");
  return out;
}

PrintedTable print(const TableSpec& table, const MeasuredTable& measured, const PrintContext& context) {
  return Printing(table, measured, context).run();
}

}  // namespace lowbit::report
