// One record of PRM800K as a solution: the steps that were chosen, and the answer.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace lowbit::prm800k {

struct Solution {
  std::string problem;
  std::optional<std::string> reference_answer, reference_solution;  ///< nothing where the record does not say
  std::vector<std::string> steps;                                   ///< trimmed, NFC; at least one
  std::string answer;                                               ///< trimmed, NFC, bare
};

/// Why there is none, as the last part of a metric's name.
struct LeftOut {
  std::string reason;
};

/// Of PRM800K's own files (`question`, `label`) or of "solutions only" (`instruction`, `responses`, `next_response`,
/// `answer`). Throws StageError{LB_BAD_INPUT} with `where` for a record of another form and for a field of another
/// type.
[[nodiscard]] std::variant<Solution, LeftOut> solution_of(const nlohmann::json& record, const std::string& where);

}  // namespace lowbit::prm800k
