#include "tinymath/generator.h"

#include <utility>

#include "lm/digest.h"
#include "tinymath/families.h"

namespace lowbit::tinymath {

Split split_of(std::string_view problem_text) {
  const std::uint64_t hash = std::stoull(lm::sha256_of_text(problem_text).substr(0, 16), nullptr, 16);
  const auto percent = hash % 100;
  if (percent < 80) return Split::train;
  if (percent < 85) return Split::alignment;
  if (percent < 92) return Split::pool;
  return percent < 95 ? Split::dev : Split::test;
}

std::string problem_id(std::string_view problem_text) { return "tm-" + lm::sha256_of_text(problem_text).substr(0, 16); }

Generator::Generator(const GeneratorOptions& options) : options_(options), draw_(options.seed) {}

std::optional<Problem> Generator::next() {
  constexpr int kPatience = 1'000'000;
  for (int draft = 0; draft < kPatience; ++draft) {
    const int family = draw_.between(0, static_cast<int>(kFamilies.size()) - 1);
    auto problem = draft_problem(static_cast<std::size_t>(family), draw_);
    if (!problem) continue;
    const auto n_steps = static_cast<int>(problem->steps.size());
    if (n_steps < options_.min_steps || n_steps > options_.max_steps) continue;
    if (split_of(problem->text) != options_.split || !seen_.insert(problem->text).second) continue;
    return problem;
  }
  return std::nullopt;
}

}  // namespace lowbit::tinymath
