// A table as its author wrote it beside an experiment: checked for form, not yet looked up in results. docs/tables.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "domain/experiment_spec.h"
#include "domain/metric_registry.h"

namespace lowbit {

/// One metric of the stage that plays `role` in a row. In `metric` each * stands for any text.
struct MetricOf {
  Text role;
  Text metric;
};

/// Which figure of published.csv stands for a cell: what the table, the column and the row say of it together. A row
/// that none of them names is the one of the row's label. A column that row and column name, such as a model and a
/// text, is both names with a blank between.
struct PublishedPlace {
  Text table;
  Text row;
  Text column;
};

struct ColumnSpec {
  enum class Kind {
    value,     ///< one metric, mean over seeds
    sum,       ///< several added; a part that a row has no stage for counts nothing
    mean,      ///< several, each as much as the others; none where a row has no stage for one of them
    list,      ///< several beside each other
    share,     ///< one metric that is a share of items, with its interval
    accuracy,  ///< share of right predictions
    delta,     ///< accuracy minus that of the row `baseline`, paired
  };
  Kind kind = Kind::value;
  Text label;                     ///< distinct in a table
  std::vector<MetricOf> metrics;  ///< value (one), sum, mean, list, share (one)
  Text role;                      ///< accuracy, delta
  Text baseline;                  ///< delta: id of a row that has a stage for `role`
  bool percent = false;           ///< fractions shown times 100; always so for share, accuracy and delta
  Text unit;                      ///< bytes shown in kB, MB or GB; empty: as it is
  std::size_t digits = 0;         ///< after the point, in print
  Text group;                     ///< heading over this column and its neighbours of the same group; empty: none
  std::optional<Better> best;     ///< what its author says is better; empty: as the metric registry has it
  PublishedPlace published;

  /// Of items, so it has an interval over them and is shown in percent.
  [[nodiscard]] bool is_share() const { return kind == Kind::share || kind == Kind::accuracy || kind == Kind::delta; }
};

struct RowSpec {
  Text id;  ///< distinct in a table
  Text label;
  std::vector<std::pair<Text, Text>> stages;          ///< role, id of the stage that plays it
  std::vector<std::pair<Text, Located<Json>>> at;     ///< axes of those stages, fixed
  std::vector<std::pair<Text, Located<Json>>> given;  ///< label of a column, what stands there instead of a measurement
  Text group;              ///< heading over this row and the next ones of the same group; empty: none
  bool reference = false;  ///< never marked as best: what the others are held against
  PublishedPlace published;
};

/// Accuracy of row `a` minus that of row `b`; both have a stage for `role`.
struct ComparisonSpec {
  std::string label;  ///< empty: made of the rows' labels
  Text role;
  Text a;
  Text b;
};

struct TableSpec {
  Text name;
  std::string title;
  std::vector<ColumnSpec> columns;
  std::vector<RowSpec> rows;
  std::vector<ComparisonSpec> comparisons;
  std::vector<std::string> notes;
  bool marks_best = false;  ///< best and second of every column, within each group of rows
  bool bootstrap = false;   ///< intervals of differences by resampling problems, not from the standard error
  PublishedPlace published;
  Text published_file;        ///< beside the tables file; empty: published.csv
  std::vector<Text> outputs;  ///< files, beside the tables file, that are kept as the table is

  /// Best and second of the column are to be marked, as far as it is known which way is better.
  [[nodiscard]] bool ranks(std::size_t column) const { return marks_best || columns[column].best.has_value(); }

  /// REQUIRES: there is one, which the reader has checked.
  [[nodiscard]] std::size_t row_index(const std::string& id) const {
    std::size_t index = 0;
    while (rows.at(index).id.value != id) ++index;
    return index;
  }
};

struct TablesFile {
  Text experiment;
  std::vector<TableSpec> tables;
};

}  // namespace lowbit
