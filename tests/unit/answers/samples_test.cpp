#include "answers/samples.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "answers/graders.h"

using namespace lowbit::answers;

namespace {

/// By trying every draw of k of the samples: the shares of draws with a correct one, and won by a correct class.
struct Tried {
  double pass = 0, majority = 0;
};
Tried tried(std::size_t k, const std::vector<std::size_t>& class_of, const std::vector<bool>& correct) {
  Tried sums;
  double n_draws = 0;
  for (unsigned draw = 0; draw < 1U << class_of.size(); ++draw) {
    std::vector<std::size_t> votes(correct.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < class_of.size(); ++i) {
      if ((draw >> i & 1U) == 0) continue;
      ++size;
      if (class_of[i] < votes.size()) ++votes[class_of[i]];
    }
    if (size != k) continue;
    ++n_draws;
    std::size_t most = 0;
    for (const std::size_t count : votes) most = std::max(most, count);
    double leaders = 0;
    double right = 0;
    bool any = false;
    for (std::size_t c = 0; c < votes.size(); ++c) {
      any = any || (correct[c] && votes[c] > 0);
      if (most == 0 || votes[c] != most) continue;
      ++leaders;
      right += correct[c] ? 1 : 0;
    }
    sums.pass += any ? 1 : 0;
    sums.majority += leaders > 0 ? right / leaders : 0;
  }
  return {sums.pass / n_draws, sums.majority / n_draws};
}

}  // namespace

TEST_CASE("pass@k has its closed form", "[answers]") {
  CHECK(pass_at_k(5, 2, 1) == Approx(0.4));
  CHECK(pass_at_k(5, 2, 2) == Approx(0.7));
  CHECK(pass_at_k(10, 3, 5) == Approx(0.916667).epsilon(1e-6));
  CHECK(pass_at_k(200, 10, 100) == Approx(0.999229).epsilon(1e-6));
  CHECK(pass_at_k(7, 7, 3) == 1);
  CHECK(pass_at_k(7, 0, 3) == 0);
  CHECK(pass_at_k(7, 5, 3) == 1);
}

TEST_CASE("pass@k and maj@k are means over all draws", "[answers]") {
  // 10 samples: classes of 4 (right), 3, 2 and one sample without an answer (class 9).
  const std::vector<std::size_t> class_of{0, 0, 0, 0, 1, 1, 1, 2, 2, 9};
  const std::vector<std::size_t> sizes{4, 3, 2};
  for (const auto& correct : {std::vector{true, false, false}, std::vector{false, true, false},
                              std::vector{true, false, true}, std::vector{false, false, false}}) {
    const std::size_t c = (correct[0] ? 4U : 0U) + (correct[1] ? 3U : 0U) + (correct[2] ? 2U : 0U);
    for (std::size_t k = 1; k <= 10; ++k) {
      INFO("k = " << k);
      const Tried expected = tried(k, class_of, correct);
      CHECK(pass_at_k(10, c, k) == Approx(expected.pass).margin(1e-12));
      CHECK(majority_at_k(10, k, sizes, correct) == Approx(expected.majority).margin(1e-9));
    }
  }
  CHECK(majority_at_k(256, 64, {128, 128}, {true, false}) == Approx(0.5));
}

TEST_CASE("votes are counted by equivalence, ties go to the first, no answer does not vote", "[answers]") {
  const SameAnswer same = grader_named("math-verify")->same;
  using Answers = std::vector<std::optional<std::string>>;
  const auto winner = [&](const Answers& answers) { return majority(answer_classes(answers, same)); };
  CHECK(winner({"2", "1/2", "0.5", "2", "\\frac{2}{4}"}) == 1U);
  CHECK(winner({"2", "1/2", "0.5", "2"}) == 0U);
  CHECK(winner({std::nullopt, std::nullopt, "7"}) == 2U);
  CHECK(winner({std::nullopt}) == std::nullopt);
  CHECK(winner({}) == std::nullopt);
}
