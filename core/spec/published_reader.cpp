#include "spec/published_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/words.h"

namespace lowbit::spec {
namespace {

const std::vector<std::string> kHeader{"table", "row", "column", "value", "unit", "certain", "note"};

struct Record {
  std::size_t line = 0;  ///< from 1
  std::vector<std::string> fields;
};

/// A quote that is never closed ends with the text.
std::vector<Record> records_of(const std::string& text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // Excel writes it
  std::vector<Record> records;
  std::size_t line = 1;
  bool begun = false;
  bool quoted = false;
  for (std::size_t i = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && !quoted && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (!begun) {
      records.push_back({line, {""}});
      begun = true;
    }
    std::string& field = records.back().fields.back();
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == ',') {
      records.back().fields.emplace_back();
    } else if (c == '\n') {
      begun = false;
    } else {
      field += c;
    }
  }
  const auto blank = [](const Record& record) { return record.fields.size() == 1 && record.fields[0].empty(); };
  records.erase(std::remove_if(records.begin(), records.end(), blank), records.end());
  return records;
}

class PublishedReader {
 public:
  explicit PublishedReader(const std::shared_ptr<const SourceText>& source) : source_(source) {}

  Result<PublishedFigures> read() {
    PublishedFigures out{.file = source_->name, .figures = {}};
    const std::vector<Record> records = records_of(source_->text);
    if (records.empty() || records.front().fields != kHeader) {
      return wrong(records.empty() ? 1 : records.front().line, "the header is not " + joined(kHeader))
          .fix("write it as the first line: table,row,column,value,unit,certain,note");
    }
    for (auto record = records.begin() + 1; record != records.end(); ++record) {
      if (auto figure = figure_of(*record)) out.figures.push_back(std::move(*figure));
    }
    if (problems_.empty()) return out;
    return std::move(problems_);
  }

 private:
  Diagnostic wrong(std::size_t line, const std::string& what) const {
    const SourceSpan span{.source = source_, .line = line, .column = 1, .length = 1};
    return error("LB7028", "published figures: " + what).at(span, "in this line");
  }

  [[nodiscard]] Diagnostic unknown_unit(std::size_t line, const std::string& unit) const {
    std::vector<std::string> names;
    names.reserve(std::size(kPublishedUnits));
    for (const PublishedUnit& known : kPublishedUnits) names.emplace_back(known.name);
    const std::string near = nearest(unit, names);
    return wrong(line, ticked(unit) + " is no unit of figures")
        .fix(near.empty() ? "write one of " + joined(names) : "a unit with a similar name exists: " + ticked(near));
  }

  std::optional<PublishedFigure> figure_of(const Record& record) {
    const std::vector<std::string>& fields = record.fields;
    if (fields.size() != kHeader.size()) {
      problems_.push_back(wrong(record.line, std::to_string(fields.size()) + " fields, where there are 7")
                              .fix("quote a field with a comma in it: \"a, b\""));
      return std::nullopt;
    }
    PublishedFigure figure{.table = fields[0],
                           .row = fields[1],
                           .column = fields[2],
                           .printed = fields[3],
                           .unit = fields[4],
                           .certain = fields[5] == "yes",
                           .note = fields[6]};
    double value = 0;
    const char* const end = figure.printed.data() + figure.printed.size();
    const auto [read_to, failure] = std::from_chars(figure.printed.data(), end, value);
    if (figure.printed == "NaN") {
      figure.value.reset();
    } else if (failure == std::errc() && read_to == end && std::isfinite(value)) {
      figure.value = value;
    } else {
      problems_.push_back(wrong(record.line, ticked(figure.printed) + " is no number")
                              .fix("write the number alone; what else the paper prints belongs into the note"));
    }
    if (published_unit(figure.unit) == nullptr) problems_.push_back(unknown_unit(record.line, figure.unit));
    if (fields[5] != "yes" && fields[5] != "no") {
      problems_.push_back(wrong(record.line, "`certain` is " + ticked(fields[5])).fix("write yes or no"));
    }
    if (!places_.emplace(figure.table, figure.row, figure.column).second) {
      problems_.push_back(wrong(record.line, "table, row and column are those of an earlier line")
                              .fix("tell the figures apart, or remove one"));
    }
    return figure;
  }

  const std::shared_ptr<const SourceText>& source_;
  std::set<std::tuple<std::string, std::string, std::string>> places_;
  Diagnostics problems_;
};

/// What a table names, against what the file has.
class PlaceCheck {
 public:
  PlaceCheck(const TableSpec& table, const PublishedFigures& published) : file_(published.file) {
    for (const PublishedFigure& figure : published.figures) {
      tables_.insert(figure.table);
      rows_.insert(figure.row);
      columns_.insert(figure.column);
    }
    place(table.published, columns_);
    // A row's column and a column's may be the two halves of one of the paper's.
    std::set<std::string> first = columns_;
    std::set<std::string> second = columns_;
    for (const std::string& whole : columns_) {
      for (const ColumnSpec& column : table.columns) {
        const std::string tail = " " + column.published.column.value;
        if (whole.ends_with(tail)) first.insert(whole.substr(0, whole.size() - tail.size()));
      }
      for (const RowSpec& row : table.rows) {
        const std::string head = row.published.column.value + " ";
        if (whole.starts_with(head)) second.insert(whole.substr(head.size()));
      }
    }
    for (const ColumnSpec& column : table.columns) place(column.published, second);
    for (const RowSpec& row : table.rows) place(row.published, first);
  }

  [[nodiscard]] Diagnostics problems() { return std::move(problems_); }

 private:
  void place(const PublishedPlace& named, const std::set<std::string>& columns) {
    known(named.table, "table", tables_);
    known(named.row, "row", rows_);
    known(named.column, "column", columns);
  }

  void known(const Text& name, const std::string& what, const std::set<std::string>& names) {
    if (name.value.empty() || names.contains(name.value)) return;
    const std::string near = nearest(name.value, {names.begin(), names.end()});
    problems_.push_back(error("LB7028", "published figures: " + ticked(name.value) + " is no " + what + " of " + file_)
                            .at(name.span, "unknown " + what)
                            .fix(near.empty() ? "write it as the file has it"
                                              : "a " + what + " with a similar name exists: " + ticked(near)));
  }

  const std::string& file_;
  std::set<std::string> tables_;
  std::set<std::string> rows_;
  std::set<std::string> columns_;
  Diagnostics problems_;
};

}  // namespace

Result<PublishedFigures> read_published_for(const std::shared_ptr<const SourceText>& source, const TableSpec& table) {
  LB_TRY_ASSIGN(PublishedFigures figures, read_published(source));
  Diagnostics problems = PlaceCheck(table, figures).problems();
  if (problems.empty()) return figures;
  return problems;
}

Result<PublishedFigures> read_published(const std::shared_ptr<const SourceText>& source) {
  return PublishedReader(source).read();
}

}  // namespace lowbit::spec
