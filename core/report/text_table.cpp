#include "report/text_table.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/csv.h"

namespace lowbit::report {
namespace {

constexpr const char* kNull = "–";

std::string raw(const Json& cell) { return cell.is_string() ? cell.get<std::string>() : canonical(cell); }

std::string csv_cell(const std::optional<Json>& cell) {
  if (!cell) return {};
  return csv_field(raw(*cell));
}

std::string csv(const QueryResult& table) {
  std::string out;
  const auto append = [&](const auto& cells) {
    for (std::size_t c = 0; c < cells.size(); ++c) out += (c == 0 ? "" : ",") + csv_cell(cells[c]);
    out += "\n";
  };
  append(std::vector<std::optional<Json>>(table.columns.begin(), table.columns.end()));
  for (const auto& row : table.rows) append(row);
  return out;
}

std::vector<std::string> distinct(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  std::set<std::string> taken(names.begin(), names.end());
  std::set<std::string> used;
  for (const std::string& name : names) {
    std::string candidate = name;
    for (int n = 2; used.contains(candidate) || (candidate != name && taken.contains(candidate)); ++n) {
      candidate = name + "_" + std::to_string(n);
    }
    used.insert(candidate);
    out.push_back(candidate);
  }
  return out;
}

std::string json(const QueryResult& table) {
  const std::vector<std::string> names = distinct(table.columns);
  std::string out = "[";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    out += r == 0 ? "\n  {" : ",\n  {";
    for (std::size_t c = 0; c < names.size(); ++c) {
      const auto& cell = table.rows[r][c];
      out += (c == 0 ? "" : ", ") + canonical(names[c]) + ": " + (cell ? canonical(*cell) : "null");
    }
    out += "}";
  }
  return out + (table.rows.empty() ? "]\n" : "\n]\n");
}

TextGrid grid_of(const QueryResult& table, std::string (*escape)(std::string_view)) {
  const std::size_t n = table.columns.size();
  TextGrid grid{.header = {}, .rows = {}, .right = std::vector<bool>(n), .over = {}};
  for (std::size_t c = 0; c < n; ++c) {
    grid.header.push_back(escape(table.columns[c]));
    bool number = false;
    bool text = false;
    for (const auto& row : table.rows) {
      if (row[c]) (row[c]->is_number() ? number : text) = true;
    }
    grid.right[c] = number && !text;
  }
  for (const auto& row : table.rows) {
    auto& cells = grid.rows.emplace_back();
    for (const auto& cell : row) cells.push_back(cell ? escape(raw(*cell)) : kNull);
  }
  return grid;
}

std::vector<std::size_t> widths_of(const TextGrid& grid) {
  std::vector<std::size_t> widths;
  for (const std::string& name : grid.header) widths.push_back(width_of(name));
  for (const auto& row : grid.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  return widths;
}

/// The line over the header, each heading in the middle over its columns; the last of them is widened for a long one.
std::string headings_over(const TextGrid& grid, std::vector<std::size_t>& widths) {
  std::string line;
  std::size_t c = 0;
  while (c < grid.over.size()) {
    std::size_t end = c + 1;
    while (end < grid.over.size() && !grid.over[c].empty() && grid.over[end] == grid.over[c]) ++end;
    std::size_t width = 2 * (end - c - 1);
    for (std::size_t i = c; i < end; ++i) width += widths[i];
    const std::size_t wanted = width_of(grid.over[c]);
    if (wanted > width) {
      widths[end - 1] += wanted - width;
      width = wanted;
    }
    const std::string text = grid.over[c].empty() || width < wanted + 4 ? grid.over[c] : " " + grid.over[c] + " ";
    const std::size_t left = width - width_of(text);
    const char fill = text.empty() ? ' ' : '-';
    line += (c == 0 ? "" : "  ") + std::string(left / 2, fill) + text + std::string(left - left / 2, fill);
    c = end;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line.empty() ? "" : line + "\n";
}

std::string text(const QueryResult& table) {
  const std::size_t n = table.rows.size();
  return aligned(grid_of(table, printable)) + "(" + std::to_string(n) + (n == 1 ? " row)\n" : " rows)\n");
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

/// Whether GitHub would read the character as markup. What it would not stays as it is, for whoever reads the page as
/// text: brackets without a target, a name's underscores, a `<` before a number.
bool is_markup(std::string_view text, std::size_t i) {
  constexpr std::string_view kAlways = "\\|`*~$";
  const char c = text[i];
  const char before = i == 0 ? ' ' : text[i - 1];
  const char after = i + 1 < text.size() ? text[i + 1] : ' ';
  const auto after_is = [&](std::string_view any) { return any.find(after) != std::string_view::npos; };
  if (kAlways.find(c) != std::string_view::npos) return true;
  switch (c) {
    case '_': return !is_word(before) || !is_word(after);
    case '<': return std::isalpha(static_cast<unsigned char>(after)) != 0 || after_is("/!?");
    case '&':
      return after == '#' ||
             (std::isalpha(static_cast<unsigned char>(after)) != 0 && text.find(';', i) != std::string_view::npos);
    case '[': return after == '^' || (i == 0 && after_is(" xX"));
    case ']': return after_is("([") || (after == ':' && text.front() == '[');
    default: return false;
  }
}

}  // namespace

std::string markdown_cell(std::string_view text) {
  const std::string plain = printable(text);
  std::string out;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (is_markup(plain, i)) out += '\\';
    out += plain[i];
  }
  return out;
}

std::string markdown_line(std::string_view text) {
  const std::size_t open = text.find('`');
  const std::size_t close = open == std::string_view::npos ? open : text.find('`', open + 1);
  if (close == std::string_view::npos) return markdown_cell(text);
  const std::string code = printable(text.substr(open, close - open + 1));
  return markdown_cell(text.substr(0, open)) + code + markdown_line(text.substr(close + 1));
}

std::string padded(const std::string& cell, std::size_t width, bool right) {
  const std::string space(width - width_of(cell), ' ');
  return right ? space + cell : cell + space;
}

std::string aligned(const TextGrid& grid) {
  std::vector<std::size_t> widths = widths_of(grid);
  std::string out = headings_over(grid, widths);
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      line += (c == 0 ? "" : "  ") + padded(cells[c], widths[c], grid.right[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);  // npos + 1 == 0: a blank line
    out += line + "\n";
  };
  append(grid.header);
  for (const auto& row : grid.rows) append(row);
  return out;
}

std::string markdown(const TextGrid& grid) {
  const std::vector<std::size_t> widths = widths_of(grid);
  std::string out;
  const auto append = [&](const std::vector<std::string>& cells) {
    for (std::size_t c = 0; c < cells.size(); ++c) {
      out += (c == 0 ? "| " : " | ") + padded(cells[c], widths[c], grid.right[c]);
    }
    out += " |\n";
  };
  append(grid.header);
  for (std::size_t c = 0; c < grid.header.size(); ++c) {
    const std::string dashes(std::max<std::size_t>(widths[c], 3), '-');
    out += "|" + (grid.right[c] ? "-" + dashes + ":" : "-" + dashes + "-");
  }
  out += "|\n";
  for (const auto& row : grid.rows) append(row);
  return out;
}

std::string render(const QueryResult& table, TableFormat format) {
  switch (format) {
    case TableFormat::columns: return aligned(grid_of(table, printable));
    case TableFormat::csv: return csv(table);
    case TableFormat::json: return json(table);
    case TableFormat::markdown: return markdown(grid_of(table, markdown_cell));
    case TableFormat::text: break;
  }
  return text(table);
}

}  // namespace lowbit::report
