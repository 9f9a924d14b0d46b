// The error types of both taxonomies, as verdicts/1 names them (docs/artifacts.md).
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lowbit::verdicts {

struct ErrorType {
  std::string_view type, category;  ///< v1 is flat: its types have no category
};
/// Taxonomy v2: seven types in four categories.
inline constexpr std::array kErrorTypes{ErrorType{"conceptual_misunderstanding", "conceptual"},
                                        ErrorType{"contextual_oversight", "conceptual"},
                                        ErrorType{"procedural_error", "method"},
                                        ErrorType{"formula_rule_error", "method"},
                                        ErrorType{"computational_error", "execution"},
                                        ErrorType{"symbolic_manipulation_error", "execution"},
                                        ErrorType{"logical_reasoning_error", "reasoning"}};
inline constexpr std::array<std::string_view, 4> kCategories{"conceptual", "method", "execution", "reasoning"};
/// Taxonomy v1.
inline constexpr std::array kFlatErrorTypes{ErrorType{"misunderstanding_of_problem", ""},
                                            ErrorType{"logical_error", ""},
                                            ErrorType{"computation_error", ""},
                                            ErrorType{"formula_misuse", ""},
                                            ErrorType{"step_omission", ""},
                                            ErrorType{"boundary_condition_error", ""},
                                            ErrorType{"symbol_error", ""}};

/// Of taxonomy "v1"; else of v2.
[[nodiscard]] std::span<const ErrorType> types_of(std::string_view taxonomy);
/// "v1" or "v2"; nothing for what is no type of either.
[[nodiscard]] std::optional<std::string_view> taxonomy_of(std::string_view type);
/// Nothing for the types of v1 and for what is no type.
[[nodiscard]] std::optional<std::string> category_of(std::string_view type);

}  // namespace lowbit::verdicts
