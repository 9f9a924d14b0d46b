#include "interchange/row_text.h"

#include "base/check.h"
#include "base/csv.h"

namespace lowbit::interchange {
namespace {

std::string csv_cell(const Json& cell) {
  if (cell.is_null()) return {};
  // dump() leaves nothing of NaN but null, which has no value either.
  if (cell.is_number_float()) return cell.dump() == "null" ? std::string() : cell.dump();
  return cell.is_string() ? csv_field(cell.get<std::string>()) : csv_field(canonical(cell));
}

}  // namespace

const char* extension_of(RowFormat format) { return format == RowFormat::csv ? ".csv" : ".jsonl"; }

std::string RowText::header() const {
  if (format_ == RowFormat::jsonl) return {};
  return line(std::vector<Json>(columns_.begin(), columns_.end()));
}

std::string RowText::line(const std::vector<Json>& cells) const {
  LB_CHECK(cells.size() == columns_.size());
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (format_ == RowFormat::csv) {
      out += (i == 0 ? "" : ",") + csv_cell(cells[i]);
    } else {
      out += (i == 0 ? "{" : ",") + canonical(columns_[i]) + ":" + canonical(cells[i]);
    }
  }
  return out + (format_ == RowFormat::csv ? "\n" : "}\n");
}

}  // namespace lowbit::interchange
