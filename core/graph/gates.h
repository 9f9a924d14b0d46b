// Validity gates: what of a result must hold before anything is made from it. A gate judges a result that exists, is no
// part of its key, and so can be changed without running the stage again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/experiment_spec.h"
#include "domain/result.h"

namespace lowbit::graph {

/// Why a result with these final metrics is held back: the first gate that does not hold, or a metric that is not a
/// finite number, which no gate has to name. Empty: it is not.
[[nodiscard]] std::string gate_problem(const std::vector<Gate>& gates, const std::vector<MetricRow>& metrics);

/// What is said of everything behind it.
[[nodiscard]] std::string behind_gate(std::string_view label, std::string_view problem);

}  // namespace lowbit::graph
