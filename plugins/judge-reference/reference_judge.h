// The first wrong step of a solution, and of which type it is, by rules about equations. The rules, and what they
// cannot know: docs/judging.md. They are of mathematics, not of any way to make errors.
//
//   const auto reference = Reference::read(problem, reference_steps, "33");
//   judge(*reference, {"3 * 7 = 21", "12 - 21 = -9"}, "-9")   // formula_rule_error in step 2
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reading.h"
#include "verdicts/verdict.h"

namespace lowbit::judge {

/// A quantity that the reference solution finds, and what it is made of.
struct Target {
  Quantity quantity;
  std::vector<std::uint64_t> operands;  ///< formulas
};

struct Reference {
  std::vector<Quantity> givens;
  std::vector<Target> targets;  ///< in order; the last is what is asked for
  std::optional<char> unknown;  ///< the letter, in an equation
  Rational answer;

  /// Nothing when the reference has a step that is no equation, does not add up, or does not end at its answer.
  [[nodiscard]] static std::optional<Reference> read(std::string_view problem, const std::vector<std::string>& steps,
                                                     std::string_view answer);
  [[nodiscard]] const Target& last() const { return targets.back(); }
};

/// Status error, no_error or undetermined, always with an explanation.
[[nodiscard]] verdicts::Finding judge(const Reference& reference, const std::vector<std::string>& steps,
                                      const std::optional<std::string>& extracted);

}  // namespace lowbit::judge
