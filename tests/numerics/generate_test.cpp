#include "lm/generate.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "lm/tokenizer.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"

using namespace lowbit;
using Ids = std::vector<int64_t>;
using Json = nlohmann::json;
using Plan = std::vector<std::vector<size_t>>;

namespace {

/// A prompt's ids, without special tokens; `seed` chooses them.
Ids made_up(const lm::ModelConfig& config, int64_t length, int64_t seed) {
  Ids ids;
  for (int64_t i = 0; i < length; ++i)
    ids.push_back(3 + (seed * 17 + i * (7 + seed) + i * i) % (config.vocab_size - 3));
  return ids;
}

Ids joined(Ids first, const Ids& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::vector<Ids> ids_of_answers(const std::vector<lm::Generation>& answers) {
  std::vector<Ids> ids;
  for (const lm::Generation& answer : answers) ids.push_back(answer.ids);
  return ids;
}

/// The token after t is t + 1: with 63 as the end, a prompt that ends in t is answered t + 1 .. 62.
struct CountingModel {
  static lm::ModelConfig config() {
    lm::ModelConfig c = test::small_config(64, 64);
    c.max_positions = 80;
    return c;
  }
  static test::MemoryWeights weights() {
    test::MemoryWeights w = test::zero_weights(config());
    w.tensors()["model.embed_tokens.weight"] = at::eye(64);
    w.tensors()["lm_head.weight"] = at::eye(64).roll(1, 0);
    return w;
  }
  static Ids answer_to(int64_t last) {
    Ids ids;
    for (int64_t t = last + 1; t < 63; ++t) ids.push_back(t);
    return ids;
  }
  test::MemoryWeights held = weights();
  lm::Model model{config(), held, at::kFloat};
};

}  // namespace

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
  const auto together = lm::generate(model, prompts, options);
  for (size_t i = 0; i < prompts.size(); ++i) {
    CHECK(together[i].ids == expected[i]);
    CHECK(together[i].truncated == (expected[i].size() == 24));
    CHECK(lm::generate(model, {prompts[i]}, options)[0].ids == expected[i]);
  }
}

TEST_CASE("the common beginning of prompts is found", "[generate]") {
  CHECK(lm::common_length({}) == 0);
  CHECK(lm::common_length({{1, 2, 3, 4}, {1, 2, 5}, {1, 2, 3}}) == 2);
  CHECK(lm::common_length({{1, 2}, {1, 2, 3}}) == 2);
  CHECK(lm::common_length({{1, 2}, {3}}) == 0);
  CHECK(lm::common_length({{1, 2}, {}}) == 0);
}

TEST_CASE("prompts whose common beginning is computed once stand in the cache as if computed whole", "[generate]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  const auto dtype = GENERATE(at::kFloat, at::kDouble);
  // Shorter and longer than the padding of the shortest prompt, which is 24.
  const auto n_shared = GENERATE(int64_t{1}, int64_t{6}, int64_t{30});
  INFO(name << ", " << c10::toString(dtype) << ", " << n_shared << " tokens shared");
  const auto dir = test::fixtures() / name;
  const auto weights = lm::Checkpoint::open(dir);
  const lm::Model model(lm::read_model_config(dir), weights, dtype);
  const Ids shared = made_up(model.config(), n_shared, 0);
  std::vector<Ids> prompts;
  for (const int64_t n : {4, 1, 25, 12}) prompts.push_back(joined(shared, made_up(model.config(), n, n)));
  const lm::SharedPrefix prefix(model, prompts);
  REQUIRE(prefix.length() == n_shared);

  const c10::InferenceMode no_gradients;
  const int64_t longest = n_shared + 25;
  const auto cache = [&] { return lm::KvCache(model.config(), 4, longest, dtype); };
  lm::KvCache whole = cache();
  lm::KvCache reused = cache();
  lm::KvCache again = cache();
  const at::Tensor expected = lm::prefill(model, prompts, nullptr, whole);
  const at::Tensor hidden = lm::prefill(model, prompts, &prefix, reused);
  CHECK(at::equal(lm::prefill(model, prompts, &prefix, again), hidden));
  const double tolerance = dtype == at::kFloat ? 1e-4 : 1e-12;
  CHECK(test::max_difference(model.logits(hidden), model.logits(expected)) < tolerance);
  CHECK(whole.length == longest);
  CHECK(reused.length == longest);
  for (size_t b = 0; b < prompts.size(); ++b) {
    const auto length = static_cast<int64_t>(prompts[b].size());
    const auto real = [&](const at::Tensor& tensor) {
      return tensor.select(0, static_cast<int64_t>(b)).narrow(1, longest - length, length);
    };
    for (size_t i = 0; i < whole.keys.size(); ++i) {
      CHECK(test::max_difference(real(reused.keys[i]), real(whole.keys[i])) < tolerance);
      CHECK(test::max_difference(real(reused.values[i]), real(whole.values[i])) < tolerance);
    }
  }

  lm::GenerateOptions options{.max_new_tokens = 24, .stop_ids = model.config().eos_ids};
  const auto answers = ids_of_answers(lm::generate(model, prompts, options));
  options.prefix = &prefix;
  CHECK(ids_of_answers(lm::generate(model, prompts, options)) == answers);
  for (size_t i = 0; i < prompts.size(); ++i) {  // alone, where all but the last token can be shared
    CHECK(lm::generate(model, {prompts[i]}, options)[0].ids == answers[i]);
  }
}

TEST_CASE("what prompts share is computed for one sequence, and not at all for a single prompt", "[generate]") {
  CountingModel counting;
  int64_t n_computed = 0;  // positions
  counting.model.resident_block(0).activations.input = [&](lm::Linear group, const at::Tensor& x, const at::Tensor&) {
    if (group == lm::Linear::q) n_computed += x.size(0) * x.size(1);
    return x;
  };
  const Ids shared{5, 9, 2, 7, 1, 8};
  const std::vector<Ids> prompts{joined(shared, {20, 30}), joined(shared, {21}), joined(shared, {22, 3, 40})};
  const lm::SharedPrefix prefix(counting.model, prompts);
  CHECK(n_computed == 6);
  const lm::GenerateOptions options{.max_new_tokens = 1, .stop_ids = {}, .prefix = &prefix};
  CHECK(ids_of_answers(lm::generate(counting.model, prompts, options)) == std::vector<Ids>{{31}, {22}, {41}});
  CHECK(n_computed == 6 + 3 * 3);

  CHECK(lm::SharedPrefix(counting.model, {prompts[0]}).length() == 0);
  CHECK(n_computed == 6 + 3 * 3);
  // Equal prompts: all but the last token.
  const lm::SharedPrefix all(counting.model, {shared, shared});
  const lm::GenerateOptions same{.max_new_tokens = 1, .stop_ids = {}, .prefix = &all};
  CHECK(ids_of_answers(lm::generate(counting.model, {shared, shared}, same)) == std::vector<Ids>{{9}, {9}});
  CHECK(n_computed == 6 + 3 * 3 + 6 + 2);
}

TEST_CASE("refilled rows answer as planned batches do", "[generate]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  const auto dtype = GENERATE(at::kFloat, at::kDouble);
  INFO(name << ", " << c10::toString(dtype));
  const auto dir = test::fixtures() / name;
  const auto weights = lm::Checkpoint::open(dir);
  const lm::Model model(lm::read_model_config(dir), weights, dtype);
  std::vector<Ids> prompts;
  for (int64_t i = 0; i < 60; ++i) {
    prompts.push_back(joined(made_up(model.config(), 4, 0), made_up(model.config(), 1 + (i * 29) % 60, i)));
  }
  lm::GenerateOptions options{.max_new_tokens = 24, .stop_ids = model.config().eos_ids};
  // Most answers are cut, so many tokens end one: answers of all lengths.
  for (int64_t id = 3; id < model.config().vocab_size; id += 12) options.stop_ids.push_back(id);
  const auto planned = lm::generate(model, prompts, options);
  std::set<size_t> lengths;
  for (const lm::Generation& answer : planned) lengths.insert(answer.ids.size());
  REQUIRE(lengths.size() > 5);

  const lm::SharedPrefix prefix(model, prompts);
  if (dtype == at::kFloat) options.prefix = &prefix;
  options.n_rows = 2;
  std::vector<size_t> n_answered;
  const auto refilled = lm::generate(model, prompts, options, [&](size_t n) { n_answered.push_back(n); });
  CHECK(ids_of_answers(refilled) == ids_of_answers(planned));
  for (size_t i = 0; i < prompts.size(); ++i) CHECK(refilled[i].truncated == planned[i].truncated);
  CHECK(std::is_sorted(n_answered.begin(), n_answered.end()));
  CHECK(n_answered.front() == 0);
  CHECK(n_answered.back() < prompts.size());
  // More steps than the 88 columns behind the longest prompt: keys and values were moved to the front.
  CHECK(n_answered.size() > prompts.size() + 88);
}

TEST_CASE("a row whose answer has ended stays within the learned positions", "[generate]") {
  const auto dir = test::fixtures() / "random-opt";
  const auto weights = lm::Checkpoint::open(dir);
  const lm::Model model(lm::read_model_config(dir), weights, at::kFloat);
  lm::GenerateOptions options{.max_new_tokens = 24, .stop_ids = {8}};
  const auto prompts_answered = [&](int64_t length, size_t least, size_t most, size_t n) {
    std::vector<Ids> found;
    for (int64_t seed = 0; seed < 200 && found.size() < n; ++seed) {
      const Ids prompt = made_up(model.config(), length, seed);
      const size_t n_ids = lm::generate(model, {prompt}, options)[0].ids.size();
      if (n_ids >= least && n_ids <= most) found.push_back(prompt);
    }
    REQUIRE(found.size() == n);
    return found;
  };
  // The first fills all 96 positions. Then nobody waits and it stays, one ended row of five, while the last four,
  // begun in place of the short answers, go on.
  std::vector<Ids> prompts = prompts_answered(72, 24, 24, 1);
  for (const Ids& prompt : prompts_answered(40, 4, 16, 4)) prompts.push_back(prompt);
  for (const Ids& prompt : prompts_answered(20, 24, 24, 4)) prompts.push_back(prompt);
  options.n_rows = 5;
  const auto answers = lm::generate(model, prompts, options);
  for (size_t i = 0; i < prompts.size(); ++i) {
    CHECK(answers[i].ids == lm::generate(model, {prompts[i]}, {.max_new_tokens = 24, .stop_ids = {8}})[0].ids);
  }
}

TEST_CASE("refilled rows take fewer steps where answers differ in length", "[generate]") {
  const CountingModel counting;
  std::vector<Ids> prompts;
  std::vector<Ids> expected;
  int64_t n_tokens = 0;
  for (int64_t i = 0; i < 32; ++i) {
    const int64_t last = i % 8 == 0 ? 12 : 58 + i % 4;  // one answer of 50 tokens, seven of 1 to 4
    prompts.push_back({1 + i, last});
    expected.push_back(CountingModel::answer_to(last));
    n_tokens += static_cast<int64_t>(expected.back().size());
  }
  lm::GenerateOptions options{.max_new_tokens = 60, .stop_ids = {63}};
  int64_t n_planned = 0;
  for (const auto& batch : lm::plan_batches(std::vector<int64_t>(prompts.size(), 2), 8)) {
    std::vector<Ids> of_batch;
    for (const size_t i : batch) of_batch.push_back(prompts[i]);
    const auto answers = lm::generate(counting.model, of_batch, options, [&](size_t) { ++n_planned; });
    for (size_t i = 0; i < batch.size(); ++i) CHECK(answers[i].ids == expected[batch[i]]);
  }
  CHECK(n_planned == 4 * 51);  // the longest answer and its end
  options.n_rows = 8;
  int64_t n_refilled = 0;
  CHECK(ids_of_answers(lm::generate(counting.model, prompts, options, [&](size_t) { ++n_refilled; })) == expected);
  CHECK(n_refilled < n_planned / 2);
  CHECK(n_refilled * 8 > n_tokens);
}

TEST_CASE("as many rows as prompts are one planned batch", "[generate]") {
  const CountingModel counting;
  const std::vector<Ids> prompts{{1, 60}, {50}, {3, 2, 55}};
  for (const int64_t n_rows : {0, 3, 10}) {
    int64_t n_steps = 0;
    const lm::GenerateOptions options{.max_new_tokens = 20, .stop_ids = {63}, .n_rows = n_rows};
    const auto answers = lm::generate(counting.model, prompts, options, [&](size_t) { ++n_steps; });
    CHECK(ids_of_answers(answers) ==
          std::vector<Ids>{CountingModel::answer_to(60), CountingModel::answer_to(50), CountingModel::answer_to(55)});
    CHECK(n_steps == 13);
  }
}

TEST_CASE("generation can be cancelled between tokens", "[generate]") {
  const auto config = test::small_config(8, 8);
  const auto weights = test::zero_weights(config);
  const lm::Model model(config, weights, at::kFloat);
  struct Cancelled {};
  int ticks = 0;
  CHECK_THROWS_AS(lm::generate(model, {{1, 2}}, {.max_new_tokens = 10, .stop_ids = {}},
                               [&](size_t) {
                                 if (++ticks == 3) throw Cancelled();
                               }),
                  Cancelled);
  ticks = 0;
  CHECK_THROWS_AS(lm::generate(model, {{1, 2}, {3}, {4}}, {.max_new_tokens = 10, .stop_ids = {}, .n_rows = 1},
                               [&](size_t n_answered) {
                                 ++ticks;
                                 if (n_answered == 2) throw Cancelled();
                               }),
                  Cancelled);
  CHECK(ticks == 21);  // two answers of ten tokens, and the next
}

TEST_CASE("prompts that cannot be continued are refused", "[generate]") {
  const test::ScratchDirectory dir;
  const auto config = test::small_config(8, 8);
  const auto weights = test::zero_weights(config);
  const lm::Model model(config, weights, at::kFloat);
  CHECK(dir.error_of([&] {
    (void)lm::generate(model, {{1}, {}}, {.max_new_tokens = 1, .stop_ids = {}});
  }) == "a prompt has no tokens\n  where: generation\n  why: there is nothing to continue\n"
        "  fix: begin every prompt with the tokenizer's start token or some text");
  CHECK(dir.error_of([&] {
    (void)lm::generate(model, {{1, 2, 3}}, {.max_new_tokens = 62, .stop_ids = {}});
  }) == "prompt and answer do not fit into the model's context\n  where: max_new_tokens\n"
        "  why: the longest prompt has 3 tokens, max_new_tokens is 62, the model has 64 positions\n"
        "  fix: lower max_new_tokens or shorten the prompts");
}

TEST_CASE("logits that are not numbers end generation", "[generate]") {
  CountingModel counting;
  at::Tensor& head = counting.held.tensors()["lm_head.weight"];
  head = head * 3e38;
  const lm::Model model(CountingModel::config(), counting.held, at::kFloat);
  const test::ScratchDirectory directory;
  CHECK_THAT(directory.error_of([&] {
    (void)lm::generate(model, {{4, 5}}, {.max_new_tokens = 3});
  }),
             Catch::Contains("the logits of a sequence hold NaN or Inf"));
}

TEST_CASE("stories260K tells the published story", "[generate][shared]") {
  const auto dir = test::shared_data("models/stories260K");
  if (!dir) return;
  const auto weights = lm::Checkpoint::open(*dir);
  const lm::Model model(lm::read_model_config(*dir), weights, at::kFloat);
  const Json reference = test::read_json(*dir / "reference.json");
  auto expected = reference["greedy_ids_from_bos_200"].get<Ids>();
  const auto answer = lm::generate(model, {{1}}, {.max_new_tokens = 200, .stop_ids = model.config().eos_ids})[0];
  REQUIRE(expected.front() == 1);
  expected.erase(expected.begin());
  CHECK(answer.ids == expected);
  CHECK(lm::Tokenizer::open(*dir / "tokenizer.json").decode(answer.ids) ==
        reference["greedy_text_from_bos_200"].get<std::string>());
}
