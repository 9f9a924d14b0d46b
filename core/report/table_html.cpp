#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/markup.h"
#include "base/utf8.h"
#include "report/page_style.h"
#include "report/table_page.h"

namespace lowbit::report {
namespace {

using CellMark = PrintedCell::Mark;

std::string html_number(const std::string& first, CellMark mark) {
  const std::string text = html_text(first);
  return mark == CellMark::best ? "<b>" + text + "</b>" : mark == CellMark::second ? "<u>" + text + "</u>" : text;
}

/// A column of the table. The numbers of a list have columns of their own; a number and what belongs to it share one,
/// as a browser would put what a long heading needs between them.
struct HtmlColumn {
  bool list = false;
  std::vector<std::size_t> parts;   ///< those that some row has; the first always
  std::vector<std::string> styles;  ///< of those: as wide as the widest of its like, so that like stands under like

  [[nodiscard]] std::size_t n_columns() const { return list ? parts.size() : 1; }
  [[nodiscard]] std::string span() const {
    return n_columns() == 1 ? "" : " colspan=\"" + std::to_string(n_columns()) + "\"";
  }
};

std::string html_part(const PrintedCell& cell, std::size_t part) {
  return part < cell.parts.size() ? cell.parts[part] : "";
}

/// No less than the text is wide in common fonts, in tenths of a digit.
int tenths_of_digit(const std::string& text) {
  constexpr std::string_view kNarrow = ".,[] ";
  int width = 0;
  for (const char c : text) {
    if (continues_character(c)) continue;
    width += c >= '0' && c <= '9' ? 10 : kNarrow.find(c) == std::string_view::npos ? 14 : 7;
  }
  return width;
}

std::string width_style(int tenths) {
  return " style=\"display:inline-block;min-width:" + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
         "ch\"";
}

std::vector<HtmlColumn> html_columns(const PrintedTable& table) {
  std::vector<HtmlColumn> columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    HtmlColumn& column = columns.emplace_back();
    column.list = !table.columns[c].parts.empty();
    column.parts = detail::shown_parts(table, c);
    for (const std::size_t part : column.parts) {
      std::set<int> widths;
      for (const PrintedRow& row : table.rows) {
        if (row.cells[c].number) widths.insert(tenths_of_digit(html_part(row.cells[c], part)));
      }
      column.styles.push_back(widths.size() < 2 ? "" : width_style(*widths.rbegin()));
    }
  }
  return columns;
}

std::string html_cells(const PrintedCell& cell, const HtmlColumn& column) {
  if (!cell.number || (column.list && cell.parts.size() != column.parts.size())) {
    return "<td" + column.span() + ">" + html_text(cell.parts[0]) + "</td>";
  }
  std::string out = "<td>" + html_number(cell.parts[0], cell.mark);
  for (std::size_t i = 1; i < column.parts.size(); ++i) {
    const std::string text = html_part(cell, column.parts[i]);
    out += column.list ? "</td><td>" + html_text(text)
                       : " <span class=\"with\"" + column.styles[i] + ">" + html_text(text) + "</span>";
  }
  return out + "</td>";
}

std::string spanning(const std::string& text, std::size_t n) {
  if (text.empty()) return n == 1 ? "<td></td>" : "<td colspan=\"" + std::to_string(n) + "\"></td>";
  return "<th scope=\"colgroup\" colspan=\"" + std::to_string(n) + "\">" + html_text(text) + "</th>";
}

std::string html_header(const PrintedTable& table, const std::vector<HtmlColumn>& columns) {
  std::string groups;
  std::string names;
  std::string parts;
  bool lists = false;
  bool grouped = false;
  for (std::size_t c = 0; c < table.columns.size();) {
    const std::string& group = table.columns[c].group;
    std::size_t n = columns[c].n_columns();
    std::size_t end = c + 1;
    while (end < table.columns.size() && !group.empty() && table.columns[end].group == group) {
      n += columns[end++].n_columns();
    }
    grouped = grouped || !group.empty();
    groups += spanning(group, n);
    c = end;
  }
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const PrintedColumn& column = table.columns[c];
    const bool list = !column.parts.empty();
    lists = lists || list;
    names += list ? spanning(column.header, columns[c].n_columns())
                  : "<th scope=\"col\">" + html_text(column.header) + "</th>";
    if (!list) parts += "<td></td>";
    for (const std::string& part : column.parts) parts += "<th scope=\"col\">" + html_text(part) + "</th>";
  }
  const std::string model = "<th scope=\"col\" class=\"model\">model</th>";
  return "<thead>\n" + (grouped ? "<tr><td></td>" + groups + "</tr>\n" : "") + "<tr>" + (lists ? "<td></td>" : model) +
         names + "</tr>\n" + (lists ? "<tr>" + model + parts + "</tr>\n" : "") + "</thead>\n";
}

}  // namespace

std::string html_text(const std::string& text) { return escaped_xml(printable(text)); }

namespace detail {

std::string html_page(const PrintedTable& table, bool whole) {
  const std::vector<HtmlColumn> columns = html_columns(table);
  std::size_t n = 1;
  for (const HtmlColumn& column : columns) n += column.n_columns();
  std::string out;
  if (whole) {
    out += "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + html_text(table.title) +
           "</title><style>" + kPageStyle + "</style></head>\n<body>\n<main>\n";
  }
  out += "<!-- " + html_text(table.source) + " -->\n<div class=\"lowbit-table\">\n<table>\n";
  if (!table.title.empty()) out += "<caption>" + html_text(table.title) + "</caption>\n";
  out += html_header(table, columns) + "<tbody>\n";
  std::string group;
  bool first = true;
  for (const PrintedRow& row : table.rows) {
    if (!first && row.group != group) out += "</tbody>\n<tbody>\n";
    if (row.group != group && !row.group.empty()) {
      out +=
          "<tr><th scope=\"rowgroup\" colspan=\"" + std::to_string(n) + "\">" + html_text(row.group) + "</th></tr>\n";
    }
    first = false;
    group = row.group;
    out += "<tr><th scope=\"row\">" + html_text(row.label) + "</th>";
    for (std::size_t c = 0; c < table.columns.size(); ++c) out += html_cells(row.cells[c], columns[c]);
    out += "</tr>\n";
  }
  out += "</tbody>\n</table>\n";
  if (table.marks || !table.notes.empty()) out += "<ul>\n";
  if (table.marks) {
    out += std::string("<li><b>best</b>, <u>second</u>") + kMarksNote + "</li>\n";
  }
  for (const std::string& note : table.notes) out += "<li>" + html_text(note) + "</li>\n";
  if (table.marks || !table.notes.empty()) out += "</ul>\n";
  out += "</div>\n";
  if (whole) out += "</main>\n</body>\n</html>\n";
  return out;
}

}  // namespace detail
}  // namespace lowbit::report
