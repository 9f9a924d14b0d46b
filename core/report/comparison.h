// The variants of an experiment beside each other: what differs in how they are made, and what they measured with the
// difference to a baseline. Computed, not yet rounded. Pure.
//
//   LB_TRY_ASSIGN(const auto variants, compared_variants(study, request));
//   LB_TRY_ASSIGN(const auto answers, store::answers_of(database, results_to_read(variants, study, recipes)));
//   LB_TRY_ASSIGN(const Comparison comparison, compare(variants, study, recipes, answers, request));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/metric_registry.h"
#include "domain/study_recipes.h"
#include "domain/study_results.h"
#include "report/comparison_columns.h"
#include "report/measured_table.h"
#include "report/statistics.h"

namespace lowbit::report {

/// An axis, or a parameter of a stage ("quantize.num_bits", its plugin: "quantize.use").
struct ComparedParameter {
  std::string name;
  std::vector<Json> values;  ///< by column; null where it has none
};

struct ComparedCell {
  Figure::State state = Figure::State::absent;
  double value = 0;                  ///< mean over seeds
  std::optional<double> deviation;   ///< over seeds
  std::optional<Interval> interval;  ///< accuracies: over items
  std::size_t n_seeds = 0;           ///< results
  std::size_t n_items = 0;           ///< accuracies

  std::optional<double> delta;             ///< to the baseline, mean over seeds that are paired
  std::optional<double> delta_deviation;   ///< over seeds
  std::optional<Interval> delta_interval;  ///< accuracies: over items, paired
  std::string not_comparable;              ///< why there is no delta; empty: there is one, or nothing to subtract
};

struct ComparedMetric {
  std::string stage;
  std::string name;
  std::string unit;
  Better better = Better::none;
  bool from_answers = false;        ///< an accuracy, computed from the prediction rows
  std::vector<ComparedCell> cells;  ///< by column
};

struct ComparedColumn {
  Json axes;
  std::string label;                ///< of its first stage, without the seed
  std::vector<std::int64_t> seeds;  ///< of its stages together
};

struct ComparedSection {
  std::vector<std::string> stages;
  std::vector<ComparedColumn> columns;  ///< the baseline first
  std::size_t n_hidden_columns = 0;
  std::vector<ComparedParameter> parameters;  ///< axes first
  std::size_t n_equal_parameters = 0;         ///< left out
  std::vector<ComparedMetric> metrics;
  std::size_t n_equal_metrics = 0;  ///< left out
};

struct Comparison {
  std::string experiment;
  std::vector<ComparedSection> sections;
  std::vector<std::string> alone;    ///< stages with one variant
  std::vector<std::string> missing;  ///< "score[seed=1] (failed)"
};

/// Whose prediction rows are needed.
[[nodiscard]] std::vector<std::int64_t> results_to_read(const ComparedVariants& variants, const StudyResults& study,
                                                        const StudyRecipes& recipes, const CompareRequest& request);

/// LB7063 no metric has one of the names that were asked for.
[[nodiscard]] Result<Comparison> compare(const ComparedVariants& variants, const StudyResults& study,
                                         const StudyRecipes& recipes, const Answers& answers,
                                         const CompareRequest& request);

}  // namespace lowbit::report
