// Graders by name: how an answer is searched in a response, and when it is that of the reference. docs/answers.md has
// the rules of each and how they score on public suites.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::answers {

struct Grade {
  std::optional<std::string> extracted;  ///< nothing: no answer was found
  bool correct = false;
  bool too_large = false;  ///< not correct, for it passes the limits of limits.h
};

struct Grader {
  std::string_view name;
  /// Never throws; bounded in time and memory for any texts.
  Grade (*grade)(std::string_view response, std::string_view reference);
  /// Whether two extracted answers are the same answer: what votes are counted by.
  bool (*same)(std::string_view given, std::string_view reference);
};

/// math-verify, hendrycks-math, prm800k, lm-eval-minerva, opencompass-v1, opencompass-v2, gsm8k-strict, gsm8k-flexible.
[[nodiscard]] const std::vector<Grader>& graders();
/// Null for a name that is none of them.
[[nodiscard]] const Grader* grader_named(std::string_view name);

}  // namespace lowbit::answers
