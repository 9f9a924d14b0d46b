#include "report/measured_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "base/words.h"
#include "domain/coordinates.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kMissingListed = 8;

using Kind = ColumnSpec::Kind;
using Content = MeasuredCell::Content;

/// With a true minus sign, and none before a zero.
std::string fixed(double value, std::size_t digits) {
  std::array<char, 400> buffer{};  // the largest double has 309 digits before the point
  const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                            std::chars_format::fixed, static_cast<int>(digits));
  const std::string text(buffer.data(), end);
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? "−" + text : text;
}

/// With a plus sign where it is positive.
std::string fixed_signed(double value, std::size_t digits) {
  const std::string text = fixed(value, digits);
  return value > 0 && text.find_first_not_of("0.") != std::string::npos ? "+" + text : text;
}

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

/// The parts of a cell, each of which is aligned with its like in the column.
std::vector<std::string> parts_of(const MeasuredCell& cell, const ColumnSpec& column) {
  if (cell.content == Content::given) return {scalar_text(cell.given)};
  if (cell.content == Content::baseline) return {"baseline"};
  std::vector<std::string> parts;
  for (const Figure& figure : cell.figures) parts.push_back(text_of(figure, column));
  if (!column.is_share()) return parts;
  const auto number = [&](double value) {
    return column.kind == Kind::delta ? fixed_signed(100 * value, column.digits) : fixed(100 * value, column.digits);
  };
  if (column.kind == Kind::accuracy) {
    parts.push_back(cell.deviation ? "± " + fixed(100 * *cell.deviation, column.digits) : "");
  }
  parts.push_back(cell.interval ? "[" + number(cell.interval->low) + ", " + number(cell.interval->high) + "]" : "");
  return parts;
}

/// "conceptual" of first_errors/conceptual.
std::string last_part(const std::string& metric) { return metric.substr(metric.rfind('/') + 1); }

bool has_deviation(const MeasuredTable& measured, std::size_t column) {
  return std::any_of(measured.rows.begin(), measured.rows.end(),
                     [&](const auto& row) { return row[column].deviation.has_value(); });
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

std::string joined_parts(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() || part.empty() ? "" : " ") + part;
  return out;
}

/// One column as printed, its header first. In text the parts of its cells stand below each other, under the names that
/// a list has for them.
std::vector<std::string> printed(const TableSpec& table, const MeasuredTable& measured, std::size_t c,
                                 PageFormat format) {
  const ColumnSpec& column = table.columns[c];
  std::vector<std::vector<std::string>> lines(1);
  if (column.kind == Kind::list) {
    for (const MetricOf& metric : column.metrics) lines[0].push_back(last_part(metric.metric.value));
  }
  for (const auto& row : measured.rows) lines.push_back(parts_of(row[c], column));

  std::size_t n_parts = 0;
  for (const auto& line : lines) n_parts = std::max(n_parts, line.size());
  if (format == PageFormat::text) {
    for (std::size_t part = 0; part < n_parts; ++part) {
      std::size_t width = 0;
      for (const auto& line : lines) {
        if (line.size() == n_parts) width = std::max(width, width_of(line[part]));
      }
      for (auto& line : lines) {
        if (line.size() == n_parts) line[part] = padded(line[part], width, true);
      }
    }
  }
  std::vector<std::string> out;
  out.reserve(lines.size());
  for (const auto& line : lines) out.push_back(joined_parts(line));
  const std::string header = header_of(column, has_deviation(measured, c));
  out[0] = out[0].empty() ? header : header + ": " + out[0];
  return out;
}

std::string range(const std::vector<double>& values, std::size_t digits) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const std::string from = fixed(*low, digits);
  const std::string to = fixed(*high, digits);
  return from == to ? from : from + " to " + to;
}

class Footer {
 public:
  Footer(const TableSpec& table, const MeasuredTable& measured) : table_(table), measured_(measured) {}

  std::vector<std::string> lines(const std::string& rerun) {
    basis();
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      if (table_.columns[c].kind == Kind::delta) detectable(c);
    }
    for (const MeasuredComparison& comparison : measured_.comparisons) compared(comparison);
    given();
    for (const std::string& note : table_.notes) lines_.push_back(note);
    if (!measured_.missing.empty()) {
      lines_.push_back("· not there yet: " + listed(measured_.missing, kMissingListed) + "; `" + rerun + "` makes it");
    }
    return std::move(lines_);
  }

 private:
  void basis() {
    std::string line;
    if (!measured_.n_items.empty()) {
      const std::vector<double> n(measured_.n_items.begin(), measured_.n_items.end());
      line = "n = " + range(n, 0) + " items";
    }
    if (!measured_.seeds.empty()) {
      std::vector<std::string> seeds;
      for (const std::int64_t seed : measured_.seeds) seeds.push_back(std::to_string(seed));
      line += (line.empty() ? "" : "; ") + std::string(seeds.size() == 1 ? "seed " : "seeds ") + joined(seeds);
    }
    if (!line.empty()) lines_.push_back(line);
    bool deviation = false;
    bool interval = !measured_.comparisons.empty();
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      deviation = deviation || has_deviation(measured_, c);
      interval = interval || table_.columns[c].is_share();
    }
    if (deviation) lines_.emplace_back("± standard deviation over seeds; a row without it is one result");
    if (interval) {
      lines_.emplace_back("[95 % interval over items, seeds fixed; each by itself, not adjusted for their number]");
    }
    if (measured_.n_ungraded > 0) {
      const std::size_t n = measured_.n_ungraded;
      lines_.push_back(std::to_string(n) +
                       (n == 1 ? " answer without a grade counts" : " answers without a grade count") + " as wrong");
    }
  }

  void detectable(std::size_t column) {
    std::vector<double> effects;
    for (const auto& row : measured_.rows) {
      if (row[column].interval) effects.push_back(100 * minimum_detectable_effect(row[column].std_error));
    }
    if (effects.empty()) return;
    const ColumnSpec& spec = table_.columns[column];
    lines_.push_back(spec.label.value + ": paired by seed and item; minimum detectable effect (80 % power, two-sided " +
                     "5 %) " + range(effects, spec.digits) + " points");
  }

  void compared(const MeasuredComparison& comparison) {
    const MeasuredCell& cell = comparison.cell;
    std::string line = comparison.label + ": ";
    if (!cell.interval) {
      lines_.push_back(line + "·");
      return;
    }
    const auto points = [](double value) { return fixed_signed(100 * value, 1); };
    line += points(cell.figures[0].value) + " points [" + points(cell.interval->low) + ", " +
            points(cell.interval->high) + "]: ";
    line += comparison.better.empty()
                ? "no difference is shown (detectable: " + fixed(100 * minimum_detectable_effect(cell.std_error), 1) +
                      " points)"
                : comparison.better + " is better";
    lines_.push_back(line);
  }

  void given() {
    std::string line;
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      std::vector<std::string> rows;
      for (std::size_t r = 0; r < table_.rows.size(); ++r) {
        if (measured_.rows[r][c].content == Content::given) rows.push_back(table_.rows[r].label.value);
      }
      if (!rows.empty()) line += (line.empty() ? "" : "; ") + table_.columns[c].label.value + " of " + joined(rows);
    }
    if (!line.empty()) lines_.push_back("written by the table's author, not measured: " + line);
  }

  const TableSpec& table_;
  const MeasuredTable& measured_;
  std::vector<std::string> lines_;
};

std::optional<Json> number(const Figure& figure) {
  return figure.state == Figure::State::number ? std::optional<Json>(figure.value) : std::nullopt;
}

void append_figures(std::vector<std::optional<Json>>& row, const MeasuredCell& cell, const ColumnSpec& column) {
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

}  // namespace

std::string render(const TableSpec& table, const MeasuredTable& measured, const std::string& rerun, PageFormat format) {
  const bool text = format == PageFormat::text;
  const auto escaped = [&](const std::string& cell) { return text ? printable(cell) : markdown_cell(cell); };
  TextGrid grid;
  grid.header = {"model"};
  grid.right.assign(table.columns.size() + 1, true);
  grid.right[0] = false;
  for (const RowSpec& row : table.rows) grid.rows.push_back({escaped(row.label.value)});
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const std::vector<std::string> column = printed(table, measured, c, format);
    grid.header.push_back(escaped(column[0]));
    for (std::size_t r = 0; r < table.rows.size(); ++r) grid.rows[r].push_back(escaped(column[r + 1]));
  }
  std::string out;
  if (!table.title.empty())
    out += text ? printable(table.title) + "\n\n" : "**" + markdown_cell(table.title) + "**\n\n";
  out += (text ? aligned(grid) : markdown(grid)) + "\n";
  for (const std::string& line : Footer(table, measured).lines(rerun)) {
    out += text ? printable(line) + "\n" : "- " + markdown_cell(line) + "\n";
  }
  return out;
}

QueryResult figures(const TableSpec& table, const MeasuredTable& measured) {
  QueryResult out{.columns = {"row", "model"}, .rows = {}};
  for (const ColumnSpec& column : table.columns) {
    const std::string& label = column.label.value;
    if (column.kind == Kind::list) {
      for (const MetricOf& metric : column.metrics)
        out.columns.push_back(label + ": " + last_part(metric.metric.value));
      continue;
    }
    out.columns.push_back(label);
    if (column.kind == Kind::accuracy) out.columns.push_back(label + ": std");
    if (column.is_share()) {
      for (const char* part : {": low", ": high", ": n"}) out.columns.push_back(label + part);
    }
  }
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    auto& row = out.rows.emplace_back();
    row.emplace_back(table.rows[r].id.value);
    row.emplace_back(table.rows[r].label.value);
    for (std::size_t c = 0; c < table.columns.size(); ++c) append_figures(row, measured.rows[r][c], table.columns[c]);
  }
  return out;
}

}  // namespace lowbit::report
