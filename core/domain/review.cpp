#include "domain/review.h"

namespace lowbit {

const std::vector<NamedType>& error_types(std::string_view taxonomy) {
  static const std::vector<NamedType> second{
      {"conceptual_misunderstanding", "conceptual", "conceptual misunderstanding: a wrong idea of the problem"},
      {"contextual_oversight", "conceptual", "contextual oversight: a given fact or bound is left out"},
      {"procedural_error", "method", "procedural error: a needed step is missing or done wrongly"},
      {"formula_rule_error", "method", "formula rule error: a rule or formula that does not fit"},
      {"computational_error", "execution", "computational error: wrong arithmetic"},
      {"symbolic_manipulation_error", "execution", "symbolic manipulation error: signs, letters, expressions"},
      {"logical_reasoning_error", "reasoning", "logical reasoning error: a conclusion that does not follow"}};
  static const std::vector<NamedType> first{{"misunderstanding_of_problem", "", "misunderstanding of the problem"},
                                            {"logical_error", "", "logical error"},
                                            {"computation_error", "", "computation error"},
                                            {"formula_misuse", "", "formula misuse"},
                                            {"step_omission", "", "step omission"},
                                            {"boundary_condition_error", "", "boundary condition error"},
                                            {"symbol_error", "", "symbol error"}};
  return taxonomy == "v1" ? first : second;
}

const NamedType* find_error_type(std::string_view type) {
  for (const std::string_view taxonomy : {"v2", "v1"}) {
    for (const NamedType& known : error_types(taxonomy)) {
      if (known.type == type) return &known;
    }
  }
  return nullptr;
}

}  // namespace lowbit
