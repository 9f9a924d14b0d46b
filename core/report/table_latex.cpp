#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "report/table_page.h"

namespace lowbit::report {
namespace {

using Mark = PrintedCell::Mark;

constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kLatex{{
    {"\\", "\\textbackslash{}"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"%", "\\%"},
    {"&", "\\&"},
    {"_", "\\_"},
    {"#", "\\#"},
    {"$", "\\$"},
    {"~", "\\textasciitilde{}"},
    {"^", "\\textasciicircum{}"},
    {"<", "$<$"},
    {">", "$>$"},
    {"−", "$-$"},
    {"±", "$\\pm$"},
    {"×", "$\\times$"},
    {"·", "$\\cdot$"},
    {"≤", "$\\leq$"},
    {"≥", "$\\geq$"},
    {"↑", "$\\uparrow$"},
    {"↓", "$\\downarrow$"},
    {"→", "$\\rightarrow$"},
    {"Δ", "$\\Delta$"},
    {"≈", "$\\approx$"},
    {"–", "--"},
    {"—", "---"},
    {"…", "\\ldots{}"},
}};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

bool is_number(const std::string& part) { return part.find_first_of("0123456789") != std::string::npos; }

/// What belongs to a number stands in columns of its own behind it, so that like stands under like.
struct Layout {
  bool list = false;
  std::vector<std::size_t> parts;  ///< those that some row has; the first always

  [[nodiscard]] std::string columns() const {
    std::string out = "r";
    for (std::size_t i = 1; i < parts.size(); ++i) out += list ? "r" : "@{\\,}r";
    return out;
  }
};

std::vector<Layout> layout_of(const PrintedTable& table) {
  std::vector<Layout> layouts;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    layouts.push_back({.list = !table.columns[c].parts.empty(), .parts = detail::shown_parts(table, c)});
  }
  return layouts;
}

std::string number(const std::string& text, Mark mark) {
  if (!is_number(text)) return latex_text(text);
  std::string out = replaced(text, "−", "-");
  if (out.back() == '?') out = out.substr(0, out.size() - 1) + "^{?}";
  if (mark == Mark::best) out = "\\mathbf{" + out + "}";
  if (mark == Mark::second) out = "\\underline{" + out + "}";
  return "$" + out + "$";
}

/// A deviation or an interval.
std::string small(const std::string& text) {
  const std::string signs = replaced(replaced(text, "−", "-"), "± ", "\\pm ");
  return text.empty() ? "" : "$\\scriptstyle " + replaced(signs, ", ", ",\\,") + "$";
}

std::string latex_cells(const PrintedCell& cell, const Layout& layout) {
  if (!cell.number || (layout.list && cell.parts.size() != layout.parts.size())) {
    const std::string text = latex_text(cell.parts[0]);
    const std::size_t n = layout.parts.size();
    return n == 1 ? " & " + text : " & \\multicolumn{" + std::to_string(n) + "}{r}{" + text + "}";
  }
  std::string out = " & " + number(cell.parts[0], cell.mark);
  for (std::size_t i = 1; i < layout.parts.size(); ++i) {
    const std::size_t part = layout.parts[i];
    const std::string text = part < cell.parts.size() ? cell.parts[part] : "";
    out += " & " + (layout.list ? number(text, Mark::none) : small(text));
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
    const std::size_t n = layouts[c].parts.size();
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

std::string one_line(const std::string& text) { return replaced(printable(text), "\n", " "); }

}  // namespace

std::string latex_text(const std::string& text) {
  const std::string plain = one_line(text);
  std::string out;
  for (std::size_t i = 0; i < plain.size();) {
    const auto special = std::find_if(kLatex.begin(), kLatex.end(), [&](const auto& known) {
      return plain.compare(i, known.first.size(), known.first) == 0;
    });
    out += special == kLatex.end() ? std::string(1, plain[i]) : std::string(special->second);
    i += special == kLatex.end() ? 1 : special->first.size();
  }
  return out;
}

namespace detail {

std::string latex_page(const PrintedTable& table, bool whole) {
  const std::vector<Layout> layouts = layout_of(table);
  std::string columns = "@{}l";
  std::size_t n = 1;
  for (const Layout& layout : layouts) {
    columns += layout.columns();
    n += layout.parts.size();
  }
  const std::string all = std::to_string(n);
  std::string out;
  if (whole) {
    out +=
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage[paperwidth=42cm,paperheight=29.7cm,margin="
        "1cm]{geometry}\n"
        "\\usepackage{booktabs}\n\\begin{document}\n\\begin{table}\n\\footnotesize\n";
    if (!table.title.empty()) out += "\\caption{" + latex_text(table.title) + "}\n";
    out += "\\centering\n";
  }
  out += "% " + one_line(table.source) + "\n";
  if (!whole && !table.title.empty()) out += "% " + one_line(table.title) + "\n";
  // A box of the width that the table has by itself, so that the notes are as wide.
  out +=
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
  if (whole) out += "\\end{table}\n\\end{document}\n";
  return out;
}

}  // namespace detail
}  // namespace lowbit::report
