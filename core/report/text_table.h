// A table of cells as text: for a terminal, for programs, for a page. Pure.
//
//   std::cout << render(table, TableFormat::text);
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

}  // namespace lowbit::report
