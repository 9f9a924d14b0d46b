// Reads what tables and figures stand on: an experiment's last expansion with its metrics, and predictions and curves
// of results. Reading never blocks a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/curve.h"
#include "domain/study_results.h"

namespace lowbit::store {

/// Without variants when `experiment` was never run here. LB60xx on a file that cannot be read.
[[nodiscard]] Result<StudyResults> study_results(const std::filesystem::path& database, const std::string& experiment);

/// Results without predictions are left out.
[[nodiscard]] Result<Answers> answers_of(const std::filesystem::path& database,
                                         const std::vector<std::int64_t>& results);

/// Results without curves are left out.
[[nodiscard]] Result<Curves> curves_of(const std::filesystem::path& database, const std::vector<std::int64_t>& results);

}  // namespace lowbit::store
