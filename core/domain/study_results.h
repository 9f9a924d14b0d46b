// What a table is made of: the variants of an experiment's last expansion with what they measured.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace lowbit {

struct MeasuredMetric {
  std::string unit;
  std::optional<double> value;  ///< empty: not a number
  std::int64_t count = 0;       ///< items averaged over; 0: not an average
};

/// A stage at one point of its axes, and its current result if there is one.
struct StudyVariant {
  std::string stage;
  std::string label;  ///< score[num_bits=3,seed=0]
  Json axes;          ///< object: axis to value, without the seed
  std::optional<std::int64_t> seed;
  std::string state;  ///< as in the view v_stages
  std::optional<std::int64_t> result_id;
  std::string content_key;                        ///< of the result
  std::map<std::string, MeasuredMetric> metrics;  ///< of the result, by name
};

struct StudyResults {
  std::string experiment;
  std::string file;     ///< of the experiment, relative to the project
  std::string options;  ///< with which it was expanded, as a shell takes them: --set 'seeds=[3]'
  std::string text;     ///< of the file then; empty: not recorded
  std::vector<StudyVariant> variants;
};

/// One line of a predictions/1 artifact, as far as it is compared.
struct ItemAnswer {
  std::string item_id;
  std::string problem_id;  ///< of several samples for one problem the same
  std::string prompt_sha;
  std::optional<bool> correct;  ///< empty: not graded
};

/// By result id.
using Answers = std::map<std::int64_t, std::vector<ItemAnswer>>;

}  // namespace lowbit
