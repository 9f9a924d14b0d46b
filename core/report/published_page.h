// The figures of tables one by one beside those that the source paper prints. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/published.h"
#include "domain/query_result.h"
#include "domain/table_spec.h"
#include "report/measured_table.h"
#include "report/table_page.h"

namespace lowbit::report {

struct PublishedComparison {
  std::string table;
  std::string row;
  std::string column;
  std::optional<double> ours;        ///< one number that was measured, in `unit`
  std::string unit;                  ///< of ours: the paper's where there is a difference
  std::string shown;                 ///< ours as pages have it; ·: no result yet
  std::optional<double> difference;  ///< ours minus the paper's
  std::optional<bool> inside;        ///< the paper's lies in our interval over items; empty: there is none
  std::string why_not;               ///< of a number of ours without a difference
  PublishedFigure paper;
};

/// Every cell of the table for which the paper prints a figure, row by row.
[[nodiscard]] std::vector<PublishedComparison> compare_published(const TableSpec& table, const MeasuredTable& measured,
                                                                 const PublishedFigures& published);

/// For programs: not rounded.
[[nodiscard]] QueryResult published_rows(const std::vector<PublishedComparison>& comparisons);

/// For people, as text or Markdown: ours with the digits that the paper prints.
[[nodiscard]] std::string published_page(const std::vector<PublishedComparison>& comparisons, PageFormat format);

}  // namespace lowbit::report
