// The graders that compare answers as strings, each with the rules of its origin; docs/answers.md holds the cards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lowbit::answers {

/// hendrycks/math: equal in hendrycks_form(); as they are where one of them has none.
[[nodiscard]] bool hendrycks_same(std::string_view given, std::string_view reference);

/// The normal form of lm-evaluation-harness' minerva_math.
[[nodiscard]] std::string minerva_form(std::string_view answer);
/// Between "Final Answer: The final answer is" and ". I hope it is correct."
[[nodiscard]] std::optional<std::string> minerva_answer(std::string_view response);
/// In normal form, by value; expressions only: lists, intervals and equations are never equal.
[[nodiscard]] bool minerva_same(std::string_view given, std::string_view reference);

enum class OpenCompassVersion { v1, v2 };
[[nodiscard]] std::string opencompass_answer(std::string_view response, OpenCompassVersion version);
[[nodiscard]] bool opencompass_same(std::string_view given, std::string_view reference, OpenCompassVersion version);

/// openai/prm800k's grade_answer.
[[nodiscard]] bool prm800k_same(std::string_view given, std::string_view reference);

/// lm-evaluation-harness' gsm8k: behind the first `#### `.
[[nodiscard]] std::optional<std::string> gsm8k_strict_answer(std::string_view response);
/// The last run of two or more of the characters $ 0-9 . , or of digits.
[[nodiscard]] std::optional<std::string> gsm8k_flexible_answer(std::string_view response);
[[nodiscard]] bool gsm8k_same(std::string_view given, std::string_view reference);

}  // namespace lowbit::answers
