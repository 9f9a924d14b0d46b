// A table of cells as text: for a terminal, for programs, for a page. Pure.
//
//   std::cout << render(table, TableFormat::text);
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "domain/query_result.h"

namespace lowbit::report {

enum class TableFormat {
  columns,   ///< `text` without the row count, as a part of a page
  text,      ///< aligned columns and a row count, for people; control characters stand as \n, \x1b
  csv,       ///< RFC 4180 with \n; null is empty, empty text is ""
  json,      ///< an array of objects, one a line; a column name met again gets _2, _3
  markdown,  ///< a GitHub table
};

/// All of it, ending in a newline. Numbers are never rounded: they are printed with the digits that give them back.
/// Numbers stand right, text left, for people; null is shown to them as –.
[[nodiscard]] std::string render(const QueryResult& table, TableFormat format);

/// Cells as they are to be printed: every row as long as the header.
struct TextGrid {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> right;        ///< by column: aligned at its right side
  std::vector<std::string> over;  ///< by column: heading over it and its neighbours of the same; may be empty
};

/// Columns of equal width, by characters. REQUIRES: cells are printable().
[[nodiscard]] std::string aligned(const TextGrid& grid);
/// A GitHub table. REQUIRES: cells are markdown_cell().
[[nodiscard]] std::string markdown(const TextGrid& grid);

/// Text that GitHub shows as it is: no HTML, link, emphasis or code.
[[nodiscard]] std::string markdown_cell(std::string_view text);
/// The same outside tables; what stands between two backticks is code.
[[nodiscard]] std::string markdown_line(std::string_view text);
/// REQUIRES: width_of(cell) <= width.
[[nodiscard]] std::string padded(const std::string& cell, std::size_t width, bool right);

}  // namespace lowbit::report
