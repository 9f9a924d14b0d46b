// Wrong solutions whose first error is known, because it was put there: one step of a reference trace is changed by one
// of seven operators and everything after it is computed again. The table of operators, and why each has one label
// only: docs/judging.md.
//
//   for (const Corruption& c : corruptions(problem, Operator::wrong_value)) {
//     // c.steps[0 .. c.step) are the reference's; c.steps[c.step] is wrong; c.answer() is not the problem's
//   }
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "tinymath/problem.h"

namespace lowbit::tinymath {

enum class Operator {
  wrong_value,     // 3 * 7 = 24
  sign_or_letter,  // 3 x + 4 = 52: 3 x = 52 + 4; or suddenly y instead of x
  wrong_operator,  // 3 boxes with 7 each: 3 + 7 = 10
  skipped_step,    // a step is left out, the next one takes what there was before it
  wrong_quantity,  // a number of the problem that was used before, once more in the place of another
  wrong_unknown,   // right numbers, but of something that was not asked for
  non_sequitur     // right steps, then a conclusion that is not their result
};
inline constexpr std::size_t kOperators = 7;
/// The error type of taxonomy v2 that operator i makes.
inline constexpr std::array<std::string_view, kOperators> kErrorTypes{
    "computational_error",  "symbolic_manipulation_error", "formula_rule_error",     "procedural_error",
    "contextual_oversight", "conceptual_misunderstanding", "logical_reasoning_error"};

struct Corruption {
  Operator by{};
  std::vector<Step> steps;
  std::size_t step = 0;           ///< index of the first wrong one; steps.size(): the conclusion after the last step
  std::optional<int> conclusion;  ///< what is concluded instead of the last step's result

  [[nodiscard]] int answer() const { return conclusion.value_or(steps.back().result); }
};

/// Every corruption of a problem by one operator; none where it makes no sense. None of them could be the work of
/// another operator (same steps and answer), and all answers are wrong, but for a swapped letter, which harms no
/// number.
[[nodiscard]] std::vector<Corruption> corruptions(const Problem& problem, Operator by);

}  // namespace lowbit::tinymath
