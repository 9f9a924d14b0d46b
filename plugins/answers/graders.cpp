#include "answers/graders.h"

#include <algorithm>

#include "answers/boxed.h"
#include "answers/characters.h"
#include "answers/limits.h"
#include "answers/math_verify.h"
#include "answers/string_graders.h"

namespace lowbit::answers {
namespace {

/// A bare reference is a formula; \$ in it is money.
std::string as_formula(std::string_view reference) {
  for (std::size_t at = reference.find('$'); at != std::string_view::npos; at = reference.find('$', at + 1)) {
    if (at == 0 || reference[at - 1] != '\\') return std::string(reference);
  }
  for (const std::string_view mark : {"\\(", "\\[", "\\boxed"}) {
    if (reference.find(mark) != std::string_view::npos) return std::string(reference);
  }
  return "$$" + std::string(reference) + "$$";
}

Grade grade_math_verify(std::string_view response, std::string_view reference) {
  const FoundAnswer gold = find_answer(as_formula(reference));
  const FoundAnswer given = find_answer(response);
  if (!given.answer && given.text.empty()) return {};
  const Verdict verdict = verify(gold, given);
  return {.extracted = given.text, .correct = verdict == Verdict::equal, .too_large = verdict == Verdict::too_large};
}
bool same_math_verify(std::string_view given, std::string_view reference) {
  return grade_math_verify(as_formula(given), reference).correct;
}

std::string_view tail(std::string_view response) {
  return response.size() > kResponseBytes ? response.substr(response.size() - kResponseBytes) : response;
}

template <typename Same>
Grade compared(const std::optional<std::string>& answer, std::string_view reference, Same same) {
  const bool too_large = answer && std::max(answer->size(), reference.size()) > kAnswerBytes;
  return {.extracted = answer, .correct = answer && !too_large && same(*answer, reference), .too_large = too_large};
}

std::optional<std::string> boxed(std::string_view response) {
  const auto box = last_box(tail(response));
  return box ? std::optional<std::string>(*box) : std::nullopt;
}

/// PRM800K's solutions end in `# Answer` and the answer; a box serves as well.
std::optional<std::string> prm800k_answer(std::string_view response) {
  constexpr std::string_view kMark = "# Answer";
  const std::size_t at = response.rfind(kMark);
  if (at != std::string_view::npos) return std::string(trimmed(response.substr(at + kMark.size())));
  return boxed(response);
}

bool same_v1(std::string_view a, std::string_view b) { return opencompass_same(a, b, OpenCompassVersion::v1); }
bool same_v2(std::string_view a, std::string_view b) { return opencompass_same(a, b, OpenCompassVersion::v2); }

Grade grade_hendrycks(std::string_view response, std::string_view reference) {
  return compared(boxed(response), reference, hendrycks_same);
}
Grade grade_prm800k(std::string_view response, std::string_view reference) {
  return compared(prm800k_answer(tail(response)), reference, prm800k_same);
}
Grade grade_minerva(std::string_view response, std::string_view reference) {
  return compared(minerva_answer(tail(response)), reference, minerva_same);
}
Grade grade_v1(std::string_view response, std::string_view reference) {
  return compared(opencompass_answer(tail(response), OpenCompassVersion::v1), reference, same_v1);
}
Grade grade_v2(std::string_view response, std::string_view reference) {
  return compared(opencompass_answer(tail(response), OpenCompassVersion::v2), reference, same_v2);
}
Grade grade_strict(std::string_view response, std::string_view reference) {
  return compared(gsm8k_strict_answer(tail(response)), reference, gsm8k_same);
}
Grade grade_flexible(std::string_view response, std::string_view reference) {
  return compared(gsm8k_flexible_answer(tail(response)), reference, gsm8k_same);
}

}  // namespace

const std::vector<Grader>& graders() {
  static const std::vector<Grader> all{{"math-verify", grade_math_verify, same_math_verify},
                                       {"hendrycks-math", grade_hendrycks, hendrycks_same},
                                       {"prm800k", grade_prm800k, prm800k_same},
                                       {"lm-eval-minerva", grade_minerva, minerva_same},
                                       {"opencompass-v1", grade_v1, same_v1},
                                       {"opencompass-v2", grade_v2, same_v2},
                                       {"gsm8k-strict", grade_strict, gsm8k_same},
                                       {"gsm8k-flexible", grade_flexible, gsm8k_same}};
  return all;
}

const Grader* grader_named(std::string_view name) {
  const auto& all = graders();
  const auto it = std::find_if(all.begin(), all.end(), [&](const Grader& grader) { return grader.name == name; });
  return it == all.end() ? nullptr : &*it;
}

}  // namespace lowbit::answers
