// What one cell of a table stands on: its figures unrounded, the results behind them, and all that these were made of.
// Pure assembly; what it asks of the database comes as facts.
//
//   LB_TRY_ASSIGN(FigureTrace trace, trace_figure(table, "rtn", "accuracy", measured, sources, study, recipes));
//   for (TracedResult& result : trace.results) result.execution = ...;
//   std::cout << trace_page(trace, study, recipes);
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/project_facts.h"
#include "domain/samples.h"
#include "domain/study_recipes.h"
#include "domain/study_results.h"
#include "domain/table_spec.h"
#include "report/measured_table.h"
#include "report/table_sources.h"

namespace lowbit::report {

/// A result that the figure is computed from.
struct TracedResult {
  std::string row;                                              ///< of the table: the cell's, or the baseline's
  std::string role;                                             ///< that its stage plays there
  std::size_t variant = 0;                                      ///< of the study
  std::vector<std::pair<std::string, MeasuredMetric>> metrics;  ///< those that the column reads
  bool reads_answers = false;                                   ///< the column is computed from its prediction rows

  std::optional<ExecutionFacts> execution;      ///< empty: it has no result
  std::optional<PredictionsPlace> predictions;  ///< that it wrote, or that it judges or grades
  std::vector<MarksPlace> marks;                ///< on these predictions
};

/// A file from outside that something of it was made of.
struct TracedSource {
  std::string type;
  std::string digest;
  std::string path;  ///< empty: not known
};

struct FigureTrace {
  std::string table;
  std::string row;
  std::string column;
  std::string formula;
  std::vector<std::string> printed;                                  ///< header and row, as the table has them
  std::vector<std::pair<std::string, std::optional<Json>>> figures;  ///< unrounded, in the units of the store
  std::vector<TracedResult> results;
  /// What feeds the first seed of each stage, nearest first, and itself; of the study.
  std::vector<std::size_t> chain;
  std::vector<TracedSource> outside;    ///< distinct; paths are not set
  std::vector<TracedSource> decisions;  ///< snapshots of what people decided; likewise
  std::string rerun;                    ///< the command that makes it again
};

/// LB7068 the table has no such row or no such column.
[[nodiscard]] Result<FigureTrace> trace_figure(const TableSpec& table, const std::string& row,
                                               const std::string& column, const MeasuredTable& measured,
                                               const std::vector<RowSources>& sources, const StudyResults& study,
                                               const StudyRecipes& recipes);

/// Snapshots of people's decisions that the figure stands on, or that what grades and judges its answers reads.
/// REQUIRES: the marks of the results are set.
void add_decisions(FigureTrace& trace, const StudyResults& study, const StudyRecipes& recipes);

}  // namespace lowbit::report
