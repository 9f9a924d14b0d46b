// Items of predictions as text for a person, and as rows for a program; and what changes between two results. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/query_result.h"
#include "domain/samples.h"
#include "domain/study_results.h"
#include "report/statistics.h"

namespace lowbit::report {

/// Two results on the same items, item by item. An answer without a grade is not right.
struct Flips {
  std::size_t both = 0;             ///< right in both
  std::size_t neither = 0;          ///< right in none
  std::vector<std::string> only_a;  ///< ids of items that only A has right, sorted
  std::vector<std::string> only_b;
  double p = 1;              ///< mcnemar_exact()
  ClusteredMean difference;  ///< accuracy of B minus that of A, paired by item
  Interval interval;         ///< of it, over items
};

/// LB7025 where items or prompts differ, LB7026 where there are no predictions.
[[nodiscard]] Result<Flips> flips_of(const PredictionsPlace& a, const std::vector<ItemAnswer>& answers_a,
                                     const PredictionsPlace& b, const std::vector<ItemAnswer>& answers_b);

/// Those that decide about error types: grades where there are any, else verdicts of people, else of a vote, else all.
[[nodiscard]] std::vector<MarksPlace> deciding_marks(const std::vector<MarksPlace>& marks);

/// What is listed: samples of A and, if there is a B, of the same items there.
struct SampleList {
  PredictionsPlace a;
  std::optional<PredictionsPlace> b;
  std::vector<MarksPlace> marks;
  std::optional<Flips> flips;
  std::string what;         ///< "wrong items", for the line that says how many are shown
  std::size_t n_found = 0;  ///< items that pass the filter
  std::vector<std::pair<Sample, std::optional<Sample>>> samples;
};

/// `limit`: characters of a text that are shown; 0: all.
[[nodiscard]] std::string samples_page(const SampleList& list, std::size_t limit);
/// {"a": PLACE, "b": PLACE or null, "flips": {"both_right", "only_a", "only_b", "neither", "mcnemar_p", "difference",
///  "low", "high"} or null, "found", "samples": [{"item_id", "problem_id", "problem", "reference", "a": ANSWER,
///  "b": ANSWER or null}]}; PLACE is {"label", "port", "digest", "items", "right", "wrong", "ungraded"}, ANSWER
/// {"correct", "text", "extracted", "n_tokens", "truncated", "marks": [{"from", "source", "status", "correct",
/// "category", "type", "first_error_step"}]}. Texts are whole.
[[nodiscard]] Json samples_document(const SampleList& list);
/// One row an item, texts whole: item_id, problem_id, problem, reference, correct, extracted, text, and the category
/// and type of the first mark that names one; then the same of B.
[[nodiscard]] QueryResult samples_rows(const SampleList& list);

}  // namespace lowbit::report
