// A printed table as text for a terminal, Markdown, LaTeX and HTML. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/printed_table.h"

namespace lowbit::report {

enum class PageFormat {
  text,
  markdown,  ///< a GitHub table and a list of notes
  latex,     ///< a tabular for \input, with booktabs and nothing else
  html,      ///< a <table> with its notes
};

/// Ends in a newline. Title, table, and under it what the numbers rest on. `whole`: of LaTeX and HTML a document of
/// their own instead of a part of one.
[[nodiscard]] std::string render(const PrintedTable& table, PageFormat format, bool whole = false);

/// Text as HTML prints it.
[[nodiscard]] std::string html_text(const std::string& text);

namespace detail {

/// What the marks of best and second mean, behind them.
inline constexpr const char* kMarksNote = " of its group, by the unrounded number; printed alike is marked alike";

/// The parts of a column's cells that some row has, the first always.
[[nodiscard]] std::vector<std::size_t> shown_parts(const PrintedTable& table, std::size_t column);
[[nodiscard]] std::string latex_page(const PrintedTable& table, bool whole);
[[nodiscard]] std::string html_page(const PrintedTable& table, bool whole);

}  // namespace detail
}  // namespace lowbit::report
