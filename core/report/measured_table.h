// The figures of a table, computed and not yet rounded. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/study_results.h"
#include "domain/table_spec.h"
#include "report/statistics.h"
#include "report/table_sources.h"

namespace lowbit::report {

struct Figure {
  enum class State {
    number,
    not_a_number,  ///< a stage reported NaN
    absent,        ///< the row has no stage for it
    missing,       ///< the stage has no result yet, for one seed at least
  };
  State state = State::absent;
  double value = 0;
};

struct MeasuredCell {
  enum class Content { figures, given, baseline };
  Content content = Content::figures;
  std::vector<Figure> figures;       ///< one a metric of a list, else one
  std::optional<double> deviation;   ///< accuracy: over seeds
  std::optional<Interval> interval;  ///< share, accuracy, delta: over items
  double std_error = 0;              ///< delta
  std::size_t n_items = 0;           ///< share, accuracy, delta
  Json given;
  std::set<std::string> metrics;              ///< names of those that the figures are means of
  std::vector<const StudyVariant*> variants;  ///< one a metric or role that it stands on; borrowed from the study
};

struct MeasuredComparison {
  std::string label;
  MeasuredCell cell;      ///< a delta
  std::string better;     ///< label of the row that is; empty: no difference is shown
  double p_value = 1;     ///< of one answer a problem McNemar's exact test, else the exact paired permutation test
  double p_adjusted = 1;  ///< by Holm, over the comparisons of the table
  bool mcnemar = false;
};

struct MeasuredTable {
  std::vector<std::vector<MeasuredCell>> rows;  ///< as in the spec
  std::vector<MeasuredComparison> comparisons;
  std::set<std::size_t> n_items;       ///< of accuracies
  std::set<std::int64_t> seeds;        ///< of all results
  std::size_t n_ungraded = 0;          ///< answers, over the accuracies shown
  std::set<std::string> content_keys;  ///< of all results
  std::vector<std::string> missing;    ///< "score[seed=1] (failed)", distinct, in order of the rows
};

/// LB7024 a name is not that of one metric, LB7027 a unit that cannot be shown so, LB7025 and LB7026 of
/// report/answers.h.
[[nodiscard]] Result<MeasuredTable> measure(const TableSpec& table, const std::vector<RowSources>& sources,
                                            const Answers& answers);

}  // namespace lowbit::report
