#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "report/latex_text.h"
#include "report/table_page.h"

namespace lowbit::report {
namespace {

using CellMark = PrintedCell::Mark;

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

bool is_number(const std::string& part) { return part.find_first_of("0123456789") != std::string::npos; }

std::string number(const std::string& text, CellMark mark) {
  if (!is_number(text)) return latex_text(text);
  std::string out = replaced(text, "−", "-");
  if (out.back() == '?') out = out.substr(0, out.size() - 1) + "^{?}";
  if (mark == CellMark::best) out = "\\mathbf{" + out + "}";
  if (mark == CellMark::second) out = "\\underline{" + out + "}";
  return "$" + out + "$";
}

/// A deviation or an interval.
std::string small(const std::string& text) {
  const std::string signs = replaced(replaced(text, "−", "-"), "± ", "\\pm ");
  return text.empty() ? "" : "$\\scriptstyle " + replaced(signs, ", ", ",\\,") + "$";
}

/// A part of a cell, and about how wide it is printed: digits are all of one width.
struct Part {
  std::string latex;
  int width = 0;
};

Part part_of(const PrintedCell& cell, std::size_t part) {
  constexpr int kDigit = 10;
  constexpr int kBoldDigit = 11;
  constexpr int kSign = 15;
  constexpr int kPoint = 5;
  const std::string text = part < cell.parts.size() ? cell.parts[part] : "";
  Part out{part == 0 ? number(text, cell.mark) : small(text)};
  for (const char c : text) {
    if (continues_character(c)) continue;
    const bool digit = c >= '0' && c <= '9';
    const bool point = c == '.' || c == ',' || c == ' ' || c == '[' || c == ']';
    out.width += digit ? (cell.mark == CellMark::best && part == 0 ? kBoldDigit : kDigit) : point ? kPoint : kSign;
  }
  return out;
}

/// A column of the table. The numbers of a list have columns of their own; a number and what belongs to it share one,
/// as LaTeX would put what a long heading needs between them: there each part is as wide as the widest of its like, so
/// that like stands under like.
struct Layout {
  bool list = false;
  std::vector<std::size_t> parts;  ///< those that some row has; the first always
  std::vector<Part> widest;        ///< of those

  [[nodiscard]] std::size_t n_columns() const { return list ? parts.size() : 1; }
};

std::vector<Layout> layout_of(const PrintedTable& table) {
  std::vector<Layout> layouts;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    Layout& layout = layouts.emplace_back();
    layout.list = !table.columns[c].parts.empty();
    layout.parts = detail::shown_parts(table, c);
    for (const std::size_t part : layout.parts) {
      Part& widest = layout.widest.emplace_back();
      for (const PrintedRow& row : table.rows) {
        if (!row.cells[c].number) continue;
        const Part one = part_of(row.cells[c], part);
        if (one.width > widest.width) widest = one;
      }
    }
  }
  return layouts;
}

/// Right in the width of the widest of its like.
std::string in_width(const Part& part, const Part& widest) {
  if (part.width == widest.width) return part.latex;
  return "\\hphantom{" + widest.latex + "}" + (part.latex.empty() ? "" : "\\llap{" + part.latex + "}");
}

std::string latex_cells(const PrintedCell& cell, const Layout& layout) {
  if (!cell.number || (layout.list && cell.parts.size() != layout.parts.size())) {
    const std::string text = latex_text(cell.parts[0]);
    const std::size_t n = layout.n_columns();
    return n == 1 ? " & " + text : " & \\multicolumn{" + std::to_string(n) + "}{r}{" + text + "}";
  }
  std::string out;
  if (layout.list) {
    for (const std::size_t part : layout.parts) {
      out += " & " + number(cell.parts[part], part == 0 ? cell.mark : CellMark::none);
    }
    return out;
  }
  out = " & ";
  for (std::size_t i = 0; i < layout.parts.size(); ++i) {
    const Part part = part_of(cell, layout.parts[i]);
    // Left of the first there is nothing to stand under.
    out += i == 0 ? part.latex : "\\," + in_width(part, layout.widest[i]);
  }
  return out;
}

struct Spanned {
  std::string text;
  std::size_t first = 0;  ///< column of the tabular, from 1
  std::size_t n = 1;
  bool ruled = false;
};

/// A line of headings, and the rules under those that stand for what is below them.
std::string heading_line(const std::vector<Spanned>& headings, const std::string& first) {
  std::string line = first;
  std::string rules;
  for (const Spanned& heading : headings) {
    const std::string text = heading.text.empty() ? "" : latex_text(heading.text);
    line += heading.n == 1 ? " & " + (text.empty() ? "" : "\\multicolumn{1}{c}{" + text + "}")
                           : " & \\multicolumn{" + std::to_string(heading.n) + "}{c}{" + text + "}";
    if (heading.ruled && !text.empty()) {
      rules +=
          "\\cmidrule(lr){" + std::to_string(heading.first) + "-" + std::to_string(heading.first + heading.n - 1) + "}";
    }
  }
  return line + " \\\\\n" + (rules.empty() ? "" : rules + "\n");
}

std::string latex_header(const PrintedTable& table, const std::vector<Layout>& layouts) {
  std::vector<Spanned> groups;
  std::vector<Spanned> names;
  std::vector<Spanned> parts;
  bool grouped = false;
  bool lists = false;
  std::size_t at = 2;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const PrintedColumn& column = table.columns[c];
    const std::size_t n = layouts[c].n_columns();
    grouped = grouped || !column.group.empty();
    lists = lists || layouts[c].list;
    if (!groups.empty() && !column.group.empty() && groups.back().text == column.group) {
      groups.back().n += n;
    } else {
      groups.push_back({column.group, at, n, true});
    }
    names.push_back({column.header, at, n, layouts[c].list});
    for (std::size_t i = 0; i < n; ++i) parts.push_back({layouts[c].list ? column.parts[i] : "", at + i, 1});
    at += n;
  }
  return (grouped ? heading_line(groups, "") : "") + heading_line(names, lists ? "" : "model") +
         (lists ? heading_line(parts, "model") : "");
}

}  // namespace

namespace detail {

std::string latex_page(const PrintedTable& table, bool whole) {
  const std::vector<Layout> layouts = layout_of(table);
  std::string columns = "@{}l";
  std::size_t n = 1;
  for (const Layout& layout : layouts) {
    columns += std::string(layout.n_columns(), 'r');
    n += layout.n_columns();
  }
  const std::string all = std::to_string(n);
  const std::string title = latex_text(table.title);
  // A box of the width that the table has by itself, so that the notes are as wide.
  std::string out =
      "\\begingroup\n\\setbox0\\hbox{\\begin{tabular}{" + columns + "@{}}\n\\toprule\n" + latex_header(table, layouts);
  std::string group;
  bool first = true;
  for (const PrintedRow& row : table.rows) {
    if (first || row.group != group) out += "\\midrule\n";
    if (row.group != group && !row.group.empty()) {
      out += "\\multicolumn{" + all + "}{@{}l}{\\emph{" + latex_text(row.group) + "}} \\\\\n";
    }
    first = false;
    group = row.group;
    out += latex_text(row.label);
    for (std::size_t c = 0; c < table.columns.size(); ++c) out += latex_cells(row.cells[c], layouts[c]);
    out += " \\\\\n";
  }
  out += "\\bottomrule\n\\end{tabular}}%\n\\begin{minipage}{\\wd0}\n\\noindent\\box0\\par\\smallskip\n\\scriptsize\n";
  const auto note = [&](const std::string& text) { out += "\\noindent " + text + "\\par\n"; };
  if (table.marks) note(std::string("\\textbf{best}, \\underline{second}") + kMarksNote);
  for (const std::string& text : table.notes) note(latex_text(text));
  out += "\\end{minipage}\n\\endgroup\n";
  const std::string engine = latex_engine_comment(whole ? title + out : out);
  const std::string source = "% " + printable(table.source) + "\n";
  if (!whole) return source + engine + (table.title.empty() ? "" : "% " + printable(table.title) + "\n") + out;
  return engine +
         "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage[paperwidth=42cm,paperheight=29.7cm,margin="
         "1cm]{geometry}\n"
         "\\usepackage{booktabs}\n\\begin{document}\n\\begin{table}\n\\footnotesize\n" +
         (title.empty() ? "" : "\\caption{" + title + "}\n") + "\\centering\n" + source + out +
         "\\end{table}\n\\end{document}\n";
}

}  // namespace detail
}  // namespace lowbit::report
