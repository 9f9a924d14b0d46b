// What other tools are given of an experiment: its last expansion with recipes, metrics and executions. Curves and
// items of answers are read one by one, since there may be millions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "domain/project_facts.h"
#include "domain/study_recipes.h"
#include "domain/study_results.h"

namespace lowbit {

struct ExportedResult {
  VariantFacts facts;
  ExecutionFacts execution;
};

struct ExportedVariant {
  StudyVariant variant;
  StudyRecipe recipe;                    ///< makers are indices into ExportedStudy::variants
  std::optional<ExportedResult> result;  ///< of those that are exported, and of what these stand on
};

struct ExportedStudy {
  std::string experiment;
  std::string file;                       ///< relative to the project
  std::string text;                       ///< of the file when it was run; empty: not recorded
  std::vector<ExportedVariant> variants;  ///< all of the last expansion, in its order
  std::vector<std::size_t> chosen;        ///< those that are exported, ascending
  std::map<std::string, Json> tasks;      ///< task.json of what chosen variants answer, by digest of the artifact
};

/// A point of a curve.
struct CurveRow {
  std::string name;
  std::int64_t step = 0;
  std::string unit;
  std::optional<double> value;  ///< empty: not a number
  std::optional<double> std_error;
  std::int64_t count = 0;
};

/// A line of a predictions/1, verdicts/1 or grades/1 artifact.
struct ItemLine {
  std::string port;
  std::string item_id;
  Json fields;  ///< the line without its item_id
};

enum class ItemKind { predictions, verdicts, grades };

}  // namespace lowbit
