// How the results of a study were made, in sentences for the methods section of a paper. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "domain/study_recipes.h"
#include "domain/study_results.h"

namespace lowbit::report {

/// The variants of a stage that one plugin makes.
struct StageMethod {
  std::string stage;
  std::string plugin;   ///< "lowbit.gptq 4"
  std::string summary;  ///< of the plugin, a sentence; empty: it is not known here
  std::size_t n_variants = 0;
  /// By name: the values, each once, in the order of the experiment, as people read them.
  std::vector<std::pair<std::string, std::vector<std::string>>> params;
  std::vector<std::string> inputs;  ///< "model from quantize.quantized", "task from data/math.jsonl (4f3a12bc)"
};

/// What a report knows beside the recipes.
struct MethodFacts {
  std::map<std::string, std::string> summaries;  ///< of plugins, by id
  std::map<std::string, std::string> paths;      ///< of files from outside, by digest
};

/// In the order of the experiment.
[[nodiscard]] std::vector<StageMethod> methods_of(const StudyResults& study, const StudyRecipes& recipes,
                                                  const MethodFacts& facts);

/// What varied, and with which seeds, then what was the same for all.
[[nodiscard]] std::string method_text(const StageMethod& method);

}  // namespace lowbit::report
