// Which solutions are learned from when there are more than wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lowbit::prm800k {

struct Candidate {
  std::string item_id, problem_id;
};

struct Sample {
  std::vector<std::size_t> taken;  ///< indices, ascending
  std::size_t n_over_cap = 0;      ///< left out because their problem has `per_problem` others
};

/// Solutions of a problem are ranked by their draws (tasks/choice.h); all first ones come before all second ones, and
/// among equals those of the problem whose draw is smaller. Of that order the first `n` are taken that are within the
/// cap. n = 0: all of them; per_problem = 0: no cap. Fewer than n may be taken.
[[nodiscard]] Sample sampled(const std::vector<Candidate>& candidates, std::int64_t n, std::int64_t per_problem,
                             std::int64_t seed);

}  // namespace lowbit::prm800k
