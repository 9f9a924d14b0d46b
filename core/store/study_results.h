// Reads what tables and figures stand on: an experiment's last expansion with its metrics, and predictions and curves
// of results. Reading never blocks a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/curve.h"
#include "domain/study_recipes.h"
#include "domain/study_results.h"

namespace lowbit::store {

/// Without variants when `experiment` was never run here. LB60xx on a file that cannot be read.
[[nodiscard]] Result<StudyResults> study_results(const std::filesystem::path& database, const std::string& experiment);

/// The same without metrics, for what needs few of them: read_metrics() adds those of the variants with one of
/// `results`, or of these only those of `names`, in which * stands for any text.
[[nodiscard]] Result<StudyResults> study_variants(const std::filesystem::path& database, const std::string& experiment);
[[nodiscard]] Result<void> read_metrics(const std::filesystem::path& database, const std::set<std::int64_t>& results,
                                        StudyResults& study, const std::set<std::string>& names = {});
/// How the variants of `study` are made. A variant that was expanded anew meanwhile has an empty recipe.
[[nodiscard]] Result<StudyRecipes> study_recipes(const std::filesystem::path& database, const StudyResults& study);

/// Results without predictions are left out.
[[nodiscard]] Result<Answers> answers_of(const std::filesystem::path& database,
                                         const std::vector<std::int64_t>& results);

/// Results without curves are left out.
[[nodiscard]] Result<Curves> curves_of(const std::filesystem::path& database, const std::vector<std::int64_t>& results);

}  // namespace lowbit::store
