// Accuracies and paired differences from the prediction rows themselves. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/study_results.h"
#include "report/statistics.h"

namespace lowbit::report {

/// The predictions of one result. `answers` is borrowed.
struct SeedAnswers {
  std::string label;  ///< of the stage, for messages
  std::optional<std::int64_t> seed;
  const std::vector<ItemAnswer>* answers = nullptr;
};

struct Accuracy {
  ClusteredMean mean;
  std::optional<double> deviation;  ///< over seeds; empty for one result
  Interval interval;                ///< over items
  std::size_t n_items = 0;
  std::size_t n_ungraded = 0;  ///< answers without a grade: they count as wrong
};

/// One result a seed, all for the same items with the same prompts (else LB7025); LB7026 when there are no predictions.
/// REQUIRES: results is not empty.
[[nodiscard]] Result<Accuracy> accuracy_of(const std::vector<SeedAnswers>& results);

struct Difference {
  ClusteredMean mean;
  Interval interval;
  std::size_t n_items = 0;
  double p_value = 1;    ///< two-sided, not adjusted
  bool mcnemar = false;  ///< one answer a problem: McNemar's exact test; else the exact paired permutation test
};

enum class DifferenceInterval {
  analytic,   ///< from the standard error
  bootstrap,  ///< by drawing problems again
};

/// Accuracy of `a` minus that of `b`, item by item and seed by seed; a single result without seed stands beside every
/// seed of the other. LB7025 unless items, prompts and seeds are the same. REQUIRES: neither is empty.
[[nodiscard]] Result<Difference> paired_difference(const std::vector<SeedAnswers>& a, const std::vector<SeedAnswers>& b,
                                                   DifferenceInterval interval = DifferenceInterval::analytic);

}  // namespace lowbit::report
