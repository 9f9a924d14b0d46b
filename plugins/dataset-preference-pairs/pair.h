// A right and a wrong answer to the same item, and what judges say of the wrong one.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tasks/task.h"

namespace lowbit::pairs {

/// What is known of the first error of an answer; nothing of all where nobody looked.
struct Judged {
  std::optional<std::string> category, type;
  std::optional<std::size_t> first_error_step;
  std::optional<double> agreement;   ///< share of the valid ballots that won the vote; 1 where a person decided
  std::optional<double> confidence;  ///< the judge's own
};

/// The type, the category where there is no type, or `unnamed`.
[[nodiscard]] inline std::string label_of(const Judged& judged) {
  return judged.type ? *judged.type : judged.category.value_or("unnamed");
}

struct Pair {
  const tasks::Item* item = nullptr;
  std::string prompt, chosen, rejected;  ///< as rows to train on have them
  nlohmann::json at;                     ///< coordinates of the rejected answer's model
  Judged judged;
  std::string digest;  ///< SHA-256 of item, coordinates and both answers: breaks ties
};

/// Numbers of pairs, ascending: what a step of the recipe leaves.
using Kept = std::vector<std::size_t>;

}  // namespace lowbit::pairs
