// An experiment as tidy long tables: results, parameters, points of curves, and one JSON object for each item of
// predictions, verdicts and grades. Pure: who asks reads rows and writes files.
#pragma once

#include <string>
#include <vector>

#include "domain/exported_study.h"
#include "interchange/row_text.h"

namespace lowbit::interchange {

class TidyTables {
 public:
  /// Borrows `study`.
  TidyTables(const ExportedStudy& study, RowFormat format);

  /// A row for each chosen variant and final metric; a variant without a result or metrics has one row.
  [[nodiscard]] std::string results() const;
  /// A row for each chosen variant with a result, and parameter.
  [[nodiscard]] std::string params() const;

  [[nodiscard]] std::string curves_header() const { return curves_.header(); }
  [[nodiscard]] std::string curve_line(const ExportedVariant& variant, const CurveRow& point) const;

  /// The fields of the item, and which variant they are of; JSON in either format.
  [[nodiscard]] std::string item_line(const ExportedVariant& variant, const ItemLine& item) const;

 private:
  [[nodiscard]] std::vector<Json> variant_cells(const ExportedVariant& variant) const;

  const ExportedStudy& study_;
  std::vector<std::string> axes_;
  RowText results_;
  RowText params_;
  RowText curves_;
};

}  // namespace lowbit::interchange
