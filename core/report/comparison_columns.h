// Which variants of an experiment stand beside each other. Pure.
//
// Stages that are run at the same points of the axes (seeds aside) make one section: a column is such a point.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/study_results.h"

namespace lowbit::report {

/// What a person may write for a variant: its stage, its label, or its label without some of the axes, which are then
/// open: score[num_bits=3] is score[num_bits=3,seed=0] and score[num_bits=3,seed=1].
[[nodiscard]] bool names_variant(const std::string& word, const StudyVariant& variant);

struct CompareRequest {
  std::vector<std::string> selection;  ///< stages or variants; none: all
  std::vector<std::string> baselines;  ///< variants, of a section each; none: the first one of the experiment
  std::vector<std::string> metrics;    ///< with * for any text; none: all
  bool everything = false;             ///< also what is equal in all columns
  std::size_t max_columns = 0;         ///< of a section; 0: all
};

/// Indices into StudyResults::variants, by seed.
using Seeds = std::vector<std::size_t>;

struct ColumnVariants {
  Json axes;                              ///< the point, without the seed
  std::map<std::string, Seeds> by_stage;  ///< every stage of the section
};

struct SectionVariants {
  std::vector<std::string> stages;      ///< in the order of the experiment
  std::vector<ColumnVariants> columns;  ///< the baseline first, then in the order of the experiment; two at least
  std::size_t n_hidden = 0;             ///< columns over `max_columns`
};

struct ComparedVariants {
  std::vector<SectionVariants> sections;
  std::vector<std::string> alone;  ///< selected stages with one point
};

/// LB7060 a word names nothing, LB7061 a baseline is not one column, LB7062 there is nothing to compare.
[[nodiscard]] Result<ComparedVariants> compared_variants(const StudyResults& study, const CompareRequest& request);

}  // namespace lowbit::report
