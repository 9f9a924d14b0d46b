// The error types of both taxonomies, as verdicts/1 names them.
#pragma once

#include <array>
#include <string_view>

namespace lowbit::judge_llm {

struct KnownType {
  std::string_view taxonomy, type, category;  ///< v1 is flat: no category
};
inline constexpr std::array kTypes{KnownType{"v2", "conceptual_misunderstanding", "conceptual"},
                                   KnownType{"v2", "contextual_oversight", "conceptual"},
                                   KnownType{"v2", "procedural_error", "method"},
                                   KnownType{"v2", "formula_rule_error", "method"},
                                   KnownType{"v2", "computational_error", "execution"},
                                   KnownType{"v2", "symbolic_manipulation_error", "execution"},
                                   KnownType{"v2", "logical_reasoning_error", "reasoning"},
                                   KnownType{"v1", "misunderstanding_of_problem", ""},
                                   KnownType{"v1", "logical_error", ""},
                                   KnownType{"v1", "computation_error", ""},
                                   KnownType{"v1", "formula_misuse", ""},
                                   KnownType{"v1", "step_omission", ""},
                                   KnownType{"v1", "boundary_condition_error", ""},
                                   KnownType{"v1", "symbol_error", ""}};

}  // namespace lowbit::judge_llm
