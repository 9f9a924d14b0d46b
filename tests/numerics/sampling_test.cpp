// Drawn tokens: the warpers' rules, frequencies, and that a draw depends on nothing beside it.
#include "lm/sampling.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "lm/generate.h"
#include "lm/tokenizer.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"

using namespace lowbit;

namespace {

at::Tensor logits_of(const std::vector<double>& probabilities) { return at::tensor(probabilities, at::kDouble).log(); }

std::vector<double> list(const at::Tensor& t) {
  const at::Tensor wide = t.to(at::kDouble).contiguous();
  return {wide.data_ptr<double>(), wide.data_ptr<double>() + wide.numel()};
}

/// Indices of the tokens that are left.
std::set<int64_t> kept(const at::Tensor& logits, const lm::Sampling& sampling) {
  const auto p = list(lm::distribution(logits, sampling));
  std::set<int64_t> ids;
  for (size_t i = 0; i < p.size(); ++i) {
    if (p[i] > 0) ids.insert(static_cast<int64_t>(i));
  }
  return ids;
}

}  // namespace

TEST_CASE("a temperature raises probabilities to its inverse", "[sampling]") {
  const at::Tensor logits = logits_of({0.5, 0.3, 0.2});
  const auto p = list(lm::distribution(logits, {.temperature = 0.5}));
  const double sum = 0.25 + 0.09 + 0.04;
  CHECK(p[0] == Approx(0.25 / sum).epsilon(1e-12));
  CHECK(p[1] == Approx(0.09 / sum).epsilon(1e-12));
  CHECK(p[2] == Approx(0.04 / sum).epsilon(1e-12));
  // Near 0 it is the most probable token alone, without overflow.
  CHECK(list(lm::distribution(at::tensor({900.0, 901.0, -900.0}), {.temperature = 1e-9})) ==
        std::vector<double>{0, 1, 0});
}

TEST_CASE("top_p keeps the tokens that Hugging Face's warper keeps", "[sampling]") {
  // transformers tests/generation/test_logits_process.py, test_top_p_dist_warper: these distributions with top_p 0.8 in
  // fp32. A little below here, since in fp64 0.1 + 0.1 is above 1 - 0.8.
  CHECK(kept(logits_of({0.3, 0.1, 0.1, 0.5}), {.top_p = 0.79999}) == std::set<int64_t>{0, 3});
  CHECK(kept(logits_of({0.15, 0.3, 0.3, 0.25}), {.top_p = 0.79999}) == std::set<int64_t>{1, 2, 3});
  const auto p = list(lm::distribution(logits_of({0.3, 0.1, 0.1, 0.5}), {.top_p = 0.79999}));
  CHECK(p[0] == Approx(0.375).epsilon(1e-12));
  CHECK(p[3] == Approx(0.625).epsilon(1e-12));
  // The likeliest token stays, however small top_p is.
  CHECK(kept(logits_of({0.3, 0.1, 0.1, 0.5}), {.top_p = 1e-6}) == std::set<int64_t>{3});
  // By its definition: cut are tokens whose share, with all less likely ones, is at most 1 - top_p.
  const at::Tensor logits = at::randn({50}, at::kDouble);
  for (const double top_p : {0.1, 0.5, 0.9, 0.99}) {
    const auto all = list(lm::distribution(logits, {}));
    std::set<int64_t> expected;
    for (size_t i = 0; i < all.size(); ++i) {
      double up_to = 0;
      for (const double other : all) up_to += other <= all[i] ? other : 0;
      if (up_to > 1 - top_p) expected.insert(static_cast<int64_t>(i));
    }
    CHECK(kept(logits, {.top_p = top_p}) == expected);
  }
}

TEST_CASE("top_k keeps k tokens and those as likely as the k-th, before top_p looks", "[sampling]") {
  const at::Tensor logits = at::tensor({1.0, 4.0, 2.0, 3.0, 2.0});
  CHECK(kept(logits, {.top_k = 1}) == std::set<int64_t>{1});
  CHECK(kept(logits, {.top_k = 2}) == std::set<int64_t>{1, 3});
  CHECK(kept(logits, {.top_k = 3}) == std::set<int64_t>{1, 2, 3, 4});
  CHECK(kept(logits, {.top_k = 9}).size() == 5);
  // Of 0.5, 0.3, 0.2 two are kept, 0.625 and 0.375: top_p of 0.6 leaves the first, of all three it would leave two.
  CHECK(kept(logits_of({0.5, 0.3, 0.2}), {.top_p = 0.6, .top_k = 2}) == std::set<int64_t>{0});
  CHECK(kept(logits_of({0.5, 0.3, 0.2}), {.top_p = 0.6}) == std::set<int64_t>{0, 1});
}

TEST_CASE("tokens are drawn as often as they are likely", "[sampling]") {
  const std::vector<double> expected{0.4, 0.25, 0.15, 0.1, 0.05, 0.03, 0.015, 0.005};
  const at::Tensor p = lm::distribution(logits_of(expected), {});
  constexpr int64_t kDraws = 40000;
  // Positions of one answer, and first tokens of many samples: both have to be uniform.
  for (const bool by_position : {true, false}) {
    std::vector<double> counts(expected.size());
    for (int64_t i = 0; i < kDraws; ++i) {
      const uint64_t stream = lm::stream_of(7, 99, by_position ? 1 : i);
      counts[static_cast<size_t>(lm::draw(p, lm::uniform_at(stream, by_position ? i : 0)))] += 1;
    }
    double chi_square = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const double mean = kDraws * expected[i];
      chi_square += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    // Seven degrees of freedom: below 24.3 with probability 0.999, above 0.6 too.
    CHECK(chi_square < 24.3);
    CHECK(chi_square > 0.6);
  }
}

TEST_CASE("a draw is the first token whose cumulated probability exceeds the number", "[sampling]") {
  const at::Tensor p = at::tensor({0.0, 0.25, 0.0, 0.75, 0.0}, at::kDouble);
  CHECK(lm::draw(p, 0) == 1);
  CHECK(lm::draw(p, 0.2499) == 1);
  CHECK(lm::draw(p, 0.25) == 3);
  CHECK(lm::draw(p, std::nextafter(1.0, 0.0)) == 3);
  CHECK(lm::draw(at::tensor({0.5, 0.4999999, 0.0}, at::kDouble), 0.99999999) == 1);  // sums that rounding left short
}

TEST_CASE("sampled answers: cold and top 1 are greedy, others differ, and neighbours change none", "[sampling]") {
  const auto dir = test::fixtures() / "random-untied";
  const auto weights = lm::Checkpoint::open(dir);
  const lm::Model model(lm::read_model_config(dir), weights, at::kFloat);
  const std::vector<std::vector<int64_t>> prompts{{1, 5, 9, 7}, {1, 5, 9, 7}, {1, 30}, {1, 12, 3, 3, 8, 2}};
  lm::GenerateOptions options{.max_new_tokens = 12, .streams = {11, 12, 13, 14}};
  const auto answers = [&](const lm::Sampling* sampling) {
    options.sampling = sampling;
    std::vector<std::vector<int64_t>> ids;
    for (const auto& answer : lm::generate(model, prompts, options)) ids.push_back(answer.ids);
    return ids;
  };
  const auto greedy = answers(nullptr);
  const lm::Sampling cold{.temperature = 1e-7};
  const lm::Sampling first{.top_k = 1};
  const lm::Sampling narrow{.top_p = 1e-9};
  CHECK(answers(&cold) == greedy);
  CHECK(answers(&first) == greedy);
  CHECK(answers(&narrow) == greedy);
  const lm::Sampling plain;
  const auto drawn = answers(&plain);
  CHECK(drawn != greedy);
  CHECK(drawn[0] != drawn[1]);  // one prompt, two streams
  CHECK(answers(&plain) == drawn);
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto alone =
        lm::generate(model, {prompts[i]}, {.max_new_tokens = 12, .sampling = &plain, .streams = {options.streams[i]}});
    CHECK(alone[0].ids == drawn[i]);
  }
  options.n_rows = 2;  // refilled rows draw the same
  CHECK(answers(&plain) == drawn);
}
