// Token sequences, their order, and the preference loss.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <set>

#include "lm/train/dpo.h"
#include "lm/train/random.h"
#include "lm/train/sequences.h"
#include "numerics/support/files.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
namespace train = lm::train;

TEST_CASE("the loss is over the completion and its end token, not the prompt", "[train]") {
  const auto tokenizer = lm::Tokenizer::open(test::fixtures() / "random-untied/tokenizer.json");
  const auto row = train::tokenize(tokenizer, "tom has two", " apples </s>");
  CHECK(row.ids == tokenizer.encode("tom has two apples </s>"));
  CHECK(row.ids.front() == 1);
  CHECK(row.scored == std::vector<bool>{false, false, false, false, true, true});
  CHECK(row.n_scored() == 2);
  auto joined = row;
  train::append(joined, row, 1);
  CHECK(joined.length() == 11);
  CHECK(joined.n_scored() == 4);
  CHECK(joined.ids[6] == row.ids[1]);
}

TEST_CASE("a completion has the tokens of a text that goes on", "[train]") {
  // SentencePiece puts a blank in front of a text of its own, so that a completion by itself begins otherwise.
  const auto tokenizer = lm::Tokenizer::open(test::fixtures() / "peer-tokenizers/mistral.json");
  for (const std::string prompt : {"the cat", "the cat\n"}) {
    const auto row = train::tokenize(tokenizer, prompt, "sat");
    CHECK(row.ids == tokenizer.encode(prompt + "sat"));
    CHECK(row.length() - row.n_scored() == static_cast<int64_t>(tokenizer.encode(prompt).size()));
    const auto alone = tokenizer.encode("sat", lm::Tokenizer::Special::skip);
    CHECK(!std::equal(alone.begin(), alone.end(), row.ids.end() - row.n_scored(), row.ids.end()));
  }
}

TEST_CASE("a completion that grows together with its prompt is refused", "[train]") {
  const auto tokenizer = lm::Tokenizer::open(test::fixtures() / "random-untied/tokenizer.json");
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([&] { (void)train::tokenize(tokenizer, "tom has app", "les"); }) ==
        "prompt and completion share a token\n  where: prompt \"tom has app\"\n"
        "  why: their concatenation does not begin with the tokens of the prompt, which is what a model will be given\n"
        "  fix: move the boundary to where the tokenizer separates, such as behind a line end");
  CHECK(dir.error_of([&] { (void)train::tokenize(tokenizer, "tom", " "); }) ==
        "a completion has no tokens\n  where: prompt \"tom\"\n  why: there is nothing to learn from it\n"
        "  fix: leave the row out");
}

TEST_CASE("every epoch sees every row once, in batches of like length, whichever batch is asked for first", "[train]") {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 1003; ++i) lengths.push_back(5 + (i * i) % 37);
  const train::BatchPlan plan(lengths, {.batch_size = 8, .seed = 3});
  CHECK(plan.per_epoch() == 126);
  std::vector<std::vector<int64_t>> order;
  int64_t padding = 0;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    std::set<int64_t> seen;
    for (int64_t i = 0; i < 126; ++i) {
      const auto batch = plan.batch(epoch * 126 + i);
      order.push_back(batch);
      int64_t longest = 0;
      for (const int64_t row : batch) longest = std::max(longest, lengths[static_cast<size_t>(row)]);
      for (const int64_t row : batch) {
        seen.insert(row);
        padding += longest - lengths[static_cast<size_t>(row)];
      }
    }
    CHECK(seen.size() == 1003);
  }
  CHECK(padding < 2 * 1003);  // less than one position a row; without buckets it would be about 16
  CHECK(order[0] != order[126]);
  const train::BatchPlan fresh(lengths, {.batch_size = 8, .seed = 3});
  for (const int64_t i : {200, 7, 251, 0}) CHECK(fresh.batch(i) == order[static_cast<size_t>(i)]);
  CHECK(train::BatchPlan(lengths, {.batch_size = 8, .seed = 4}).batch(0) != order[0]);
  CHECK(train::BatchPlan({5, 5}, {.batch_size = 8, .seed = 0}).batch(9).size() == 2);
}

TEST_CASE("rows are padded on the right and scored by the position before each target", "[train]") {
  // TRL's case: chosen rows first, then rejected, completions masked.
  const auto row = [](std::vector<int64_t> ids, size_t n_prompt) {
    train::Sequence s{.ids = std::move(ids), .scored = {}};
    for (size_t i = 0; i < s.ids.size(); ++i) s.scored.push_back(i >= n_prompt);
    return s;
  };
  const std::vector<train::Sequence> rows{row({1, 2, 3, 4, 5}, 3), row({7, 8, 9}, 2), row({1, 2, 3, 6}, 3),
                                          row({7, 8, 10, 11}, 2)};
  const auto batch = train::collate({&rows[0], &rows[1], &rows[2], &rows[3]}, 0);
  const auto ids = at::tensor({1, 2, 3, 4, 5, 7, 8, 9, 0, 0, 1, 2, 3, 6, 0, 7, 8, 10, 11, 0}, at::kLong).view({4, 5});
  CHECK(at::equal(batch.ids, ids));
  CHECK(at::equal(batch.target, at::tensor({4, 5, 9, 6, 10, 11}, at::kLong)));
  CHECK(at::equal(batch.position, at::tensor({2, 3, 6, 12, 16, 17}, at::kLong)));
  CHECK(at::equal(batch.row, at::tensor({0, 0, 1, 2, 3, 3}, at::kLong)));
}

TEST_CASE("streams of random numbers are functions of their place", "[train]") {
  CHECK(train::seed_at(1, {2, 3}) == train::seed_at(1, {2, 3}));
  CHECK(train::seed_at(1, {2, 3}) != train::seed_at(1, {3, 2}));
  CHECK(train::seed_at(1, {2}) != train::seed_at(2, {1}));
}

namespace {

train::PairValues pairs(const std::vector<double>& chosen, const std::vector<double>& rejected) {
  return {.chosen = at::tensor(chosen, at::kDouble), .rejected = at::tensor(rejected, at::kDouble)};
}
/// Of completions of one token each.
at::Tensor loss_of(const train::PreferenceLoss& loss, const train::PairValues& policy,
                   const train::PairValues& reference) {
  return loss(policy, reference, {.chosen = at::ones_like(policy.chosen), .rejected = at::ones_like(policy.chosen)});
}
double mean_loss(const train::PairValues& policy, const train::PairValues& reference, double beta,
                 double smoothing = 0) {
  return loss_of({.beta = beta, .label_smoothing = smoothing}, policy, reference).mean().item<double>();
}

// Numbers that LLaMA-Factory's tests use.
const std::vector<double> kChosen{-3, -2.5, -4, -1.5}, kRejected{-5, -3.5, -6, -2.5};
const std::vector<double> kRefChosen{-2.8, -2.3, -3.8, -1.4}, kRefRejected{-3.2, -2.7, -4.2, -1.8};

}  // namespace

TEST_CASE("the DPO loss has the published values", "[dpo]") {
  const auto none = pairs({0}, {0});
  CHECK(mean_loss(none, none, 0.1) == Approx(0.6931471805599453).epsilon(1e-15));
  CHECK(mean_loss(pairs({1}, {0}), none, 1) == Approx(0.3132617).epsilon(1e-6));
  CHECK(mean_loss(pairs({2}, {0}), none, 1) == Approx(0.1269280).epsilon(1e-6));
  const auto policy = pairs(kChosen, kRejected);
  const auto reference = pairs(kRefChosen, kRefRejected);
  const at::Tensor each = loss_of({.beta = 0.1}, policy, reference);
  CHECK(each[0].item<double>() == Approx(0.616343773).epsilon(1e-8));
  CHECK(each[1].item<double>() == Approx(0.663597113).epsilon(1e-8));
  CHECK(each[2].item<double>() == Approx(0.616343773).epsilon(1e-8));
  CHECK(mean_loss(policy, reference, 0.01) == Approx(0.687665430).epsilon(1e-8));
  CHECK(mean_loss(policy, reference, 0.1) == Approx(0.639970443).epsilon(1e-8));
  CHECK(mean_loss(policy, reference, 0.5) == Approx(0.462727955).epsilon(1e-8));
  CHECK(mean_loss(policy, reference, 1) == Approx(0.310694346).epsilon(1e-8));
}

TEST_CASE("swapping chosen and rejected raises the DPO loss by beta Delta", "[dpo]") {
  const auto reference = pairs(kRefChosen, kRefRejected);
  const at::Tensor there = loss_of({.beta = 0.3}, pairs(kChosen, kRejected), reference);
  const at::Tensor back = loss_of(
      {.beta = 0.3}, {.chosen = at::tensor(kRejected, at::kDouble), .rejected = at::tensor(kChosen, at::kDouble)},
      {.chosen = reference.rejected, .rejected = reference.chosen});
  const at::Tensor delta =
      (at::tensor(kChosen, at::kDouble) - reference.chosen) - (at::tensor(kRejected, at::kDouble) - reference.rejected);
  CHECK((back - there - 0.3 * delta).abs().max().item<double>() < 1e-14);
}

TEST_CASE("at the start the DPO gradient is beta / 2 on each side, and elsewhere that of finite differences", "[dpo]") {
  const auto gradient = [](const train::PairValues& policy, const train::PairValues& reference) {
    const train::PairValues leaves{.chosen = policy.chosen.clone().requires_grad_(true),
                                   .rejected = policy.rejected.clone().requires_grad_(true)};
    loss_of({.beta = 0.1}, leaves, reference).mean().backward();
    return std::pair{leaves.chosen.grad()[0].item<double>(), leaves.rejected.grad()[0].item<double>()};
  };
  const auto start = pairs(kChosen, kRejected);
  CHECK(gradient(start, start).first == Approx(-0.05 / 4).epsilon(1e-12));
  CHECK(gradient(start, start).second == Approx(0.05 / 4).epsilon(1e-12));
  const auto reference = pairs(kRefChosen, kRefRejected);
  auto up = kChosen;
  auto down = kChosen;
  up[0] += 1e-5;
  down[0] -= 1e-5;
  const double slope =
      (mean_loss(pairs(up, kRejected), reference, 0.1) - mean_loss(pairs(down, kRejected), reference, 0.1)) / 2e-5;
  CHECK(gradient(start, reference).first == Approx(slope).epsilon(1e-7));
}

TEST_CASE("label smoothing has the published values, and is the mean of both labels", "[dpo]") {
  const auto policy = pairs(kChosen, kRejected);
  const auto reference = pairs(kRefChosen, kRefRejected);
  CHECK(mean_loss(policy, reference, 0.1, 0.1) == Approx(0.650970443).epsilon(1e-8));
  CHECK(mean_loss(policy, reference, 0.1, 0.2) == Approx(0.661970443).epsilon(1e-8));
  CHECK(mean_loss(policy, reference, 0.1, 0.3) == Approx(0.672970443).epsilon(1e-8));
}

TEST_CASE("IPO and hinge have the values of their formulas", "[dpo]") {
  using Kind = train::PreferenceLoss::Kind;
  const auto policy = pairs({-6, -1}, {-8, -9});
  const auto reference = pairs({-9, -1}, {-7, -3});
  const train::PairValues n_tokens = pairs({3, 1}, {2, 4});
  // Scores 3 and -1, a margin of 4; 0 and -6, one of 6. By token: 1 - -0.5 and 0 - -1.5.
  const at::Tensor ipo = train::PreferenceLoss{.kind = Kind::ipo, .beta = 0.25}(policy, reference, n_tokens);
  CHECK(ipo[0].item<double>() == Approx((1.5 - 2) * (1.5 - 2)).epsilon(1e-15));
  CHECK(ipo[1].item<double>() == Approx((1.5 - 2) * (1.5 - 2)).epsilon(1e-15));
  const at::Tensor hinge = train::PreferenceLoss{.kind = Kind::hinge, .beta = 0.2}(policy, reference, n_tokens);
  CHECK(hinge[0].item<double>() == Approx(1 - 0.2 * 4).epsilon(1e-15));
  CHECK(hinge[1].item<double>() == 0);  // 1 - 0.2 * 6 is below
}

TEST_CASE("every preference loss begins where its formula says, with gradients of finite differences", "[dpo]") {
  using Kind = train::PreferenceLoss::Kind;
  const auto reference = pairs(kRefChosen, kRefRejected);
  const train::PairValues n_tokens = pairs({3, 1, 4, 2}, {2, 7, 1, 5});
  for (const train::PreferenceLoss& loss :
       {train::PreferenceLoss{.beta = 0.3}, train::PreferenceLoss{.beta = 0.3, .label_smoothing = 0.2},
        train::PreferenceLoss{.kind = Kind::ipo, .beta = 0.3},
        train::PreferenceLoss{.kind = Kind::hinge, .beta = 0.3}}) {
    INFO("kind " << static_cast<int>(loss.kind) << ", label smoothing " << loss.label_smoothing);
    const at::Tensor start = loss(reference, reference, n_tokens);
    CHECK((start - loss.at_start()).abs().max().item<double>() < 1e-14);
    const train::PairValues leaves{.chosen = at::tensor(kChosen, at::kDouble).requires_grad_(true),
                                   .rejected = at::tensor(kRejected, at::kDouble).requires_grad_(true)};
    loss(leaves, reference, n_tokens).sum().backward();
    for (int64_t i = 0; i < 4; ++i) {
      for (const bool chosen : {true, false}) {
        const auto moved = [&](double by) {
          train::PairValues at{.chosen = leaves.chosen.detach().clone(), .rejected = leaves.rejected.detach().clone()};
          (chosen ? at.chosen : at.rejected)[i] += by;
          return loss(at, reference, n_tokens).sum().item<double>();
        };
        const double slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        const at::Tensor gradient = chosen ? leaves.chosen.grad() : leaves.rejected.grad();
        CHECK(gradient[i].item<double>() == Approx(slope).epsilon(1e-7).margin(1e-9));
      }
    }
  }
}

TEST_CASE("rewards are TRL's, and a tie is not a right answer", "[dpo]") {
  const auto reference = pairs(kRefChosen, kRefRejected);
  const auto tie = train::dpo_metrics(reference, reference, 0.1);
  CHECK(tie.accuracy == 0);
  CHECK(tie.rewards_chosen == 0);
  auto m = train::dpo_metrics(pairs(kChosen, kRejected), reference, 0.1);
  CHECK(m.accuracy == 4);
  CHECK(m.rewards_chosen == Approx(0.1 * -0.7));
  CHECK(m.rewards_rejected == Approx(0.1 * -5.1));
  CHECK(m.logps_chosen == Approx(-11));
  m += tie;
  CHECK(m.logps_rejected == Approx(-17 - 11.9));
}
