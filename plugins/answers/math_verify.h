// Grading as Math-Verify does (huggingface/Math-Verify 0.8, docs/answers.md): the answer is searched in a response by
// what stands before it, read, and compared by value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "answers/equivalent.h"
#include "answers/expression.h"

namespace lowbit::answers {

struct MathVerifyOptions {
  bool latex = true;        ///< look for formulas and boxes
  bool expressions = true;  ///< look for typed numbers and arithmetic
  bool boxes_first = true;  ///< a box before "final answer is ... I hope", else after it
  ComparisonOptions comparison;
};

/// What was found in a response: a tree where a place could be read, and the text of the first place tried.
struct FoundAnswer {
  std::optional<Node> answer;
  std::string text;
};

/// Places in order of what announces them ("final answer is", a box, "answer:", "answer", nothing), the last place of
/// the response first, up to kCandidates; the first that can be read. A response that is nothing but a formula is read
/// whole before places that nothing announces.
[[nodiscard]] FoundAnswer find_answer(std::string_view response, const MathVerifyOptions& options = {});

/// By value, or as the same text where it is not empty.
[[nodiscard]] Verdict verify(const FoundAnswer& reference, const FoundAnswer& given,
                             const MathVerifyOptions& options = {});

}  // namespace lowbit::answers
