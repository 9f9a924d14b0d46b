// Step 5 of the recipe: one pair for each problem, whatever models failed on it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pair.h"

namespace lowbit::pairs {

/// Whether `a` is kept rather than `b`: larger agreement (none is least), then the graver error (conceptual, reasoning,
/// method, execution, none), then the smaller digest.
[[nodiscard]] bool is_preferred(const Pair& a, const Pair& b);

/// From the most preferred pair on, a pair is kept unless one that was kept is about the same problem (`same_problem`),
/// about nearly the same one (`near_duplicate`: overlap/near_duplicates.h with 0.8; where `near` is true), or has the
/// same rejected text (`same_rejected`). `dropped` counts these.
[[nodiscard]] Kept deduplicated(const std::vector<Pair>& pairs, bool near, std::map<std::string, std::size_t>& dropped);

}  // namespace lowbit::pairs
