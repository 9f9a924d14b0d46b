#include "report/table_page.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

using CellMark = PrintedCell::Mark;

std::string joined_parts(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() || part.empty() ? "" : " ") + part;
  return out;
}

/// One column as text, its header first. The parts of its cells stand below each other, under the names that a list has
/// for them; behind the number, * for best and ' for second.
std::vector<std::string> text_column(const PrintedTable& table, std::size_t c) {
  const PrintedColumn& column = table.columns[c];
  std::vector<std::vector<std::string>> lines{column.parts};
  const bool marks = std::any_of(table.rows.begin(), table.rows.end(),
                                 [&](const PrintedRow& row) { return row.cells[c].mark != CellMark::none; });
  for (const PrintedRow& row : table.rows) {
    const PrintedCell& cell = row.cells[c];
    lines.push_back(cell.parts);
    if (marks && cell.number)
      lines.back()[0] += cell.mark == CellMark::best ? "*" : cell.mark == CellMark::second ? "'" : " ";
  }
  std::size_t n_parts = 0;
  for (const auto& line : lines) n_parts = std::max(n_parts, line.size());
  for (std::size_t part = 0; part < n_parts; ++part) {
    std::size_t width = 0;
    for (const auto& line : lines) {
      if (line.size() == n_parts) width = std::max(width, width_of(line[part]));
    }
    for (auto& line : lines) {
      if (line.size() == n_parts) line[part] = padded(line[part], width, true);
    }
  }
  std::vector<std::string> out;
  out.reserve(lines.size());
  for (const auto& line : lines) out.push_back(joined_parts(line));
  out[0] = out[0].empty() ? column.header : column.header + ": " + out[0];
  return out;
}

std::string marked(const PrintedCell& cell) {
  std::vector<std::string> parts = cell.parts;
  for (std::string& part : parts) part = markdown_cell(part);
  if (cell.mark == CellMark::best) parts[0] = "**" + parts[0] + "**";
  if (cell.mark == CellMark::second) parts[0] = "<u>" + parts[0] + "</u>";
  return joined_parts(parts);
}

std::vector<std::string> markdown_column(const PrintedTable& table, std::size_t c) {
  const PrintedColumn& column = table.columns[c];
  std::string header = column.group.empty() ? column.header : column.group + ": " + column.header;
  if (!column.parts.empty()) header += ": " + joined_parts(column.parts);
  std::vector<std::string> out{markdown_cell(header)};
  for (const PrintedRow& row : table.rows) out.push_back(marked(row.cells[c]));
  return out;
}

/// Rows with the headings of their groups between them.
TextGrid grid_of(const PrintedTable& table, bool markdown) {
  TextGrid grid;
  grid.header = {"model"};
  grid.over = {""};
  grid.right.assign(table.columns.size() + 1, true);
  grid.right[0] = false;
  std::vector<std::vector<std::string>> columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    columns.push_back(markdown ? markdown_column(table, c) : text_column(table, c));
    grid.header.push_back(markdown ? columns.back()[0] : printable(columns.back()[0]));
    grid.over.push_back(markdown ? "" : printable(table.columns[c].group));
  }
  std::string group;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const PrintedRow& row = table.rows[r];
    if (row.group != group && !row.group.empty()) {
      std::vector<std::string> heading(table.columns.size() + 1);
      heading[0] = markdown ? "**" + markdown_cell(row.group) + "**" : printable(row.group);
      grid.rows.push_back(std::move(heading));
    }
    group = row.group;
    const std::string indent = row.group.empty() || markdown ? "" : "  ";
    auto& cells = grid.rows.emplace_back();
    cells.push_back(markdown ? markdown_cell(row.label) : indent + printable(row.label));
    for (const auto& column : columns) cells.push_back(markdown ? column[r + 1] : printable(column[r + 1]));
  }
  return grid;
}

std::string text_page(const PrintedTable& table) {
  std::string out = table.title.empty() ? "" : printable(table.title) + "\n\n";
  out += aligned(grid_of(table, false)) + "\n";
  if (table.marks) out += std::string("* best, ' second") + detail::kMarksNote + "\n";
  for (const std::string& note : table.notes) out += printable(note) + "\n";
  return out;
}

std::string markdown_page(const PrintedTable& table) {
  std::string out = table.title.empty() ? "" : "**" + markdown_cell(table.title) + "**\n\n";
  out += markdown(grid_of(table, true)) + "\n";
  if (table.marks) out += std::string("- **best**, <u>second</u>") + detail::kMarksNote + "\n";
  for (const std::string& note : table.notes) out += "- " + markdown_line(note) + "\n";
  return out;
}

}  // namespace

std::vector<std::size_t> detail::shown_parts(const PrintedTable& table, std::size_t column) {
  const std::vector<std::string>& names = table.columns[column].parts;
  std::size_t n = names.size();
  for (const PrintedRow& row : table.rows) n = std::max(n, row.cells[column].parts.size());
  std::vector<std::size_t> shown{0};
  for (std::size_t part = 1; part < n; ++part) {
    const bool used = std::any_of(table.rows.begin(), table.rows.end(), [&](const PrintedRow& row) {
      return part < row.cells[column].parts.size() && !row.cells[column].parts[part].empty();
    });
    if (used || part < names.size()) shown.push_back(part);
  }
  return shown;
}

std::string render(const PrintedTable& table, PageFormat format, bool whole) {
  switch (format) {
    case PageFormat::markdown: return markdown_page(table);
    case PageFormat::latex: return detail::latex_page(table, whole);
    case PageFormat::html: return detail::html_page(table, whole);
    case PageFormat::text: break;
  }
  return text_page(table);
}

}  // namespace lowbit::report
