// The two forms of a solution, how they are written and how they are read back.
//
//   plain                 tagged (one line)
//   3 * 7 = 21            <|step_start|>3 * 7 = 21<|step_end|><|step_start|>12 + 21 = 33<|step_end|>
//   12 + 21 = 33          <|answer_start|>33<|answer_end|>
//   answer 33
//
// Reading is total: any text has steps (maybe none) and an answer (maybe none), found in time linear in its length.
// The end token of a model is not part of these texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::answers {

enum class Format { plain, tagged };
/// "plain" or "tagged". REQUIRES: one of them.
[[nodiscard]] Format format_named(std::string_view name);

inline constexpr std::string_view kStepStart = "<|step_start|>";
inline constexpr std::string_view kStepEnd = "<|step_end|>";
inline constexpr std::string_view kAnswerStart = "<|answer_start|>";
inline constexpr std::string_view kAnswerEnd = "<|answer_end|>";

[[nodiscard]] std::string render(const std::vector<std::string>& steps, std::string_view answer, Format format);

struct Response {
  std::vector<std::string> steps;
  std::optional<std::string> answer;  ///< bare, as written
  bool format_kept =
      false;  ///< the text is one that render() writes with these steps and this answer, which may be boxed
};

/// plain: steps are the lines that are not empty and do not begin with `answer `; the last line that does gives the
/// answer; without one the answer is the last number of the text.
/// tagged: steps are what stands between step tags, a step that is not closed reaching to the next tag; the answer is
/// the `\boxed{...}` that closes last in the last answer region, or that region itself without one; without an answer
/// region it is sought in the whole text. Format is kept when there is at least one step, then one answer, bare or
/// wholly in one \boxed{}, each without tags inside and not blank, and nothing around them.
[[nodiscard]] Response read_response(std::string_view text, Format format);

}  // namespace lowbit::answers
