#include "lm/generate.h"

#include <catch2/catch.hpp>

#include "lm/tokenizer.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"

using namespace lowbit;
using Ids = std::vector<int64_t>;
using Json = nlohmann::json;
using Plan = std::vector<std::vector<size_t>>;

TEST_CASE("batches are planned by length, long first, ties in input order", "[generate]") {
  CHECK(lm::plan_batches({3, 5, 3, 9, 5}, 2) == Plan{{3, 1}, {4, 0}, {2}});
  CHECK(lm::plan_batches({3, 5, 3}, 10) == Plan{{1, 0, 2}});
  CHECK(lm::plan_batches({}, 4).empty());
}

TEST_CASE("a padded batch answers every prompt as the reference answers it alone", "[generate]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  INFO(name);
  const auto dir = test::fixtures() / name;
  const auto weights = lm::Checkpoint::open(dir);
  const lm::Model model(lm::read_model_config(dir), weights, at::kFloat);
  const auto tokenizer = lm::Tokenizer::open(dir / "tokenizer.json");
  std::vector<Ids> prompts;
  std::vector<Ids> expected;
  const Json reference = test::read_json(dir / "reference.json");
  for (const Json& greedy : reference["greedy"]) {
    prompts.push_back(tokenizer.encode(greedy["prompt"].get<std::string>()));
    expected.push_back(greedy["ids"].get<Ids>());
  }
  REQUIRE(prompts.size() == 2);
  REQUIRE(prompts[0].size() != prompts[1].size());
  const lm::GenerateOptions options{.max_new_tokens = 24, .stop_ids = model.config().eos_ids};
  const auto together = lm::generate_greedy(model, prompts, options);
  for (size_t i = 0; i < prompts.size(); ++i) {
    CHECK(together[i].ids == expected[i]);
    CHECK(together[i].truncated == (expected[i].size() == 24));
    CHECK(lm::generate_greedy(model, {prompts[i]}, options)[0].ids == expected[i]);
  }
}

TEST_CASE("generation can be cancelled between tokens", "[generate]") {
  const auto config = test::small_config(8, 8);
  const auto weights = test::zero_weights(config);
  const lm::Model model(config, weights, at::kFloat);
  struct Cancelled {};
  int ticks = 0;
  CHECK_THROWS_AS(lm::generate_greedy(model, {{1, 2}}, {.max_new_tokens = 10, .stop_ids = {}},
                                      [&](size_t) {
                                        if (++ticks == 3) throw Cancelled();
                                      }),
                  Cancelled);
}

TEST_CASE("prompts that cannot be continued are refused", "[generate]") {
  const test::ScratchDirectory dir;
  const auto config = test::small_config(8, 8);
  const auto weights = test::zero_weights(config);
  const lm::Model model(config, weights, at::kFloat);
  CHECK(dir.error_of([&] {
    (void)lm::generate_greedy(model, {{1}, {}}, {.max_new_tokens = 1, .stop_ids = {}});
  }) == "a prompt has no tokens\n  where: generation\n  why: there is nothing to continue\n"
        "  fix: begin every prompt with the tokenizer's start token or some text");
  CHECK(dir.error_of([&] {
    (void)lm::generate_greedy(model, {{1, 2, 3}}, {.max_new_tokens = 62, .stop_ids = {}});
  }) == "prompt and answer do not fit into the model's context\n  where: max_new_tokens\n"
        "  why: the longest prompt has 3 tokens, max_new_tokens is 62, the model has 64 positions\n"
        "  fix: lower max_new_tokens or shorten the prompts");
}

TEST_CASE("stories260K tells the published story", "[generate][shared]") {
  const auto dir = test::shared_data("models/stories260K");
  if (!dir) return;
  const auto weights = lm::Checkpoint::open(*dir);
  const lm::Model model(lm::read_model_config(*dir), weights, at::kFloat);
  const Json reference = test::read_json(*dir / "reference.json");
  auto expected = reference["greedy_ids_from_bos_200"].get<Ids>();
  const auto answer = lm::generate_greedy(model, {{1}}, {.max_new_tokens = 200, .stop_ids = model.config().eos_ids})[0];
  REQUIRE(expected.front() == 1);
  expected.erase(expected.begin());
  CHECK(answer.ids == expected);
  CHECK(lm::Tokenizer::open(*dir / "tokenizer.json").decode(answer.ids) ==
        reference["greedy_text_from_bos_200"].get<std::string>());
}
