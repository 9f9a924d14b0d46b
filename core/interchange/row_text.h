// Rows of a tidy table as CSV or as lines of JSON. Pure.
//
//   const RowText rows({"label", "value"}, RowFormat::csv);
//   text = rows.header() + rows.line({"score[num_bits=3]", 0.5});
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace lowbit::interchange {

enum class RowFormat {
  csv,   ///< RFC 4180 with \n; null is empty, empty text is ""
  jsonl  ///< an object a line; null is null
};

/// ".csv" or ".jsonl"
[[nodiscard]] const char* extension_of(RowFormat format);

class RowText {
 public:
  RowText(std::vector<std::string> columns, RowFormat format) : columns_(std::move(columns)), format_(format) {}

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] RowFormat format() const { return format_; }
  /// Of CSV the names of the columns, of JSON nothing.
  [[nodiscard]] std::string header() const;
  /// With its newline. Numbers have the digits that give them back; lists and objects are JSON text in CSV. REQUIRES: a
  /// cell for each column.
  [[nodiscard]] std::string line(const std::vector<Json>& cells) const;

 private:
  std::vector<std::string> columns_;
  RowFormat format_;
};

}  // namespace lowbit::interchange
