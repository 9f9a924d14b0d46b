#include "lm/perplexity.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "lm/tokenizer.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"

using namespace lowbit;
using Ids = std::vector<int64_t>;
using Json = nlohmann::json;
using lm::Windows;

namespace {

Ids count_to(int64_t n) {
  Ids ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), int64_t{0});
  return ids;
}

/// "first..last/first scored" of every window.
std::string outline(const Windows& windows) {
  std::string text;
  for (int64_t i = 0; i < windows.ids.size(0); ++i) {
    const auto first_scored = windows.scored[i].to(at::kInt).argmax().item<int64_t>();
    CHECK(windows.scored[i].sum().item<int64_t>() == windows.ids.size(1) - first_scored);
    text += std::to_string(windows.ids[i][0].item<int64_t>()) + ".." +
            std::to_string(windows.ids[i][-1].item<int64_t>()) + "/" + std::to_string(first_scored) + " ";
  }
  return text;
}

/// One window per list; all but the first token is scored.
Windows windows_of(const std::vector<Ids>& rows) {
  std::vector<at::Tensor> ids;
  for (const Ids& row : rows) ids.push_back(at::tensor(row, at::kLong));
  Windows windows{.ids = at::stack(ids),
                  .scored = at::ones({static_cast<int64_t>(rows.size()), ids[0].size(0)}, at::kBool),
                  .keep = {}};
  windows.scored.select(1, 0).fill_(false);
  return windows;
}

}  // namespace

TEST_CASE("windows lie side by side and what is left over is dropped", "[perplexity]") {
  const auto windows = lm::cut_windows(count_to(11), {.context_length = 4});
  CHECK(outline(windows) == "0..3/1 4..7/1 ");
  CHECK(windows.scored.sum().item<int64_t>() == 2 * 3);
  CHECK(lm::cut_windows(count_to(3), {.context_length = 4}).ids.size(0) == 0);
}

TEST_CASE("overlapping windows score every token but the first exactly once", "[perplexity]") {
  const auto windows = lm::cut_windows(count_to(10), {.context_length = 4, .stride = 2});
  CHECK(outline(windows) == "0..3/1 2..5/2 4..7/2 6..9/2 ");
  CHECK(windows.scored.sum().item<int64_t>() == 10 - 1);
}

TEST_CASE("a prefix stands before every window and makes its first token a target", "[perplexity]") {
  const auto windows = lm::cut_windows(count_to(7), {.context_length = 4, .prefix = {90}});
  CHECK(outline(windows) == "90..2/1 90..5/1 ");
  CHECK(windows.scored.sum().item<int64_t>() == 6);
  CHECK(outline(lm::cut_windows(count_to(7), {.context_length = 4, .stride = 2, .prefix = {90}})) ==
        "90..2/1 90..4/2 90..6/2 ");
}

TEST_CASE("window options out of range are refused", "[perplexity]") {
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([] { (void)lm::cut_windows(count_to(9), {.context_length = 1}); }) ==
        "a window would have no token to score\n  where: context_length\n  why: it is 1, of which the prefix takes 0\n"
        "  fix: use a context_length of at least 2 and longer than the prefix");
  CHECK(dir.error_of([] { (void)lm::cut_windows(count_to(9), {.context_length = 4, .stride = 5}); }) ==
        "the stride would leave gaps between windows\n  where: stride\n  why: it is 5, a window holds 4 tokens of the "
        "text\n"
        "  fix: use a stride from 1 to 4, or 0 for windows side by side");
}

TEST_CASE("a model without preferences has the perplexity of its vocabulary", "[perplexity]") {
  const auto config = test::small_config(1000, 8);
  const auto weights = test::zero_weights(config);
  const lm::Model model(config, weights, at::kDouble);
  const auto ppl = lm::score(model, lm::cut_windows(count_to(100), {.context_length = 10}), {});
  CHECK(ppl.value() == Approx(1000).epsilon(1e-12));
  CHECK(ppl.total().count == 10 * 9);
  CHECK(ppl.mean_std_error() == Approx(0).margin(1e-12));
}

TEST_CASE("a model that is sure and right has perplexity one", "[perplexity]") {
  // Token t embeds as unit vector t; row t + 1 of the output matrix points there: after t comes t + 1 for certain.
  const auto config = test::small_config(8, 8);
  test::MemoryWeights weights = test::zero_weights(config);
  weights.tensors()["model.embed_tokens.weight"] = at::eye(8);
  weights.tensors()["lm_head.weight"] = at::eye(8).roll(1, 0) * 100;
  const lm::Model model(config, weights, at::kFloat);
  const auto windows = lm::cut_windows({0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3}, {.context_length = 6});
  CHECK(lm::score(model, windows, {}).value() == Approx(1).margin(1e-12));
}

TEST_CASE("half the time right and half the time uniform is the geometric mean", "[perplexity]") {
  // As above, but the rows that should follow tokens 0 and 4 are empty: there the model is uniform over 8 tokens.
  const auto config = test::small_config(8, 8);
  test::MemoryWeights weights = test::zero_weights(config);
  at::Tensor embedding = at::eye(8);
  embedding[0].zero_();
  embedding[4].zero_();
  weights.tensors()["model.embed_tokens.weight"] = embedding;
  weights.tensors()["lm_head.weight"] = at::eye(8).roll(1, 0) * 100;
  const lm::Model model(config, weights, at::kFloat);
  // Window of five: targets after 0, 1, 2, 3 of which one is uniform.
  const auto ppl = lm::score(model, lm::cut_windows({0, 1, 2, 3, 4}, {.context_length = 5}), {});
  CHECK(ppl.value() == Approx(std::pow(8.0, 0.25)).epsilon(1e-6));
}

TEST_CASE("perplexity agrees with the independent reference, side by side and overlapping", "[perplexity]") {
  for (const std::string& name : test::kReferenceModels) {
    INFO(name);
    const auto dir = test::fixtures() / name;
    const auto weights = lm::Checkpoint::open(dir);
    const lm::Model model(lm::read_model_config(dir), weights, at::kFloat);
    const Json reference = test::read_json(dir / "reference.json")["perplexity"];
    const auto ids = lm::Tokenizer::open(dir / "tokenizer.json").encode(reference["text"].get<std::string>());
    const auto length = reference["context_length"].get<int64_t>();
    const auto side_by_side = lm::score(model, lm::cut_windows(ids, {.context_length = length}), {.batch_size = 2});
    const Json& expected = reference["side_by_side"];
    CHECK(side_by_side.value() == Approx(expected["perplexity"].get<double>()).epsilon(1e-5));
    CHECK(side_by_side.total().count == expected["count"].get<int64_t>());
    REQUIRE(side_by_side.windows.size() == expected["nll"].size());
    for (size_t i = 0; i < expected["nll"].size(); ++i) {
      CHECK(side_by_side.windows[i].sum == Approx(expected["nll"][i].get<double>()).epsilon(1e-5));
    }
    const auto overlapping = lm::score(model, lm::cut_windows(ids, {.context_length = length, .stride = 8}), {});
    CHECK(overlapping.value() == Approx(reference["stride_8"]["perplexity"].get<double>()).epsilon(1e-5));
    CHECK(overlapping.total().count == reference["stride_8"]["count"].get<int64_t>());
  }
}

TEST_CASE("neither order, batch size nor streaming changes the perplexity", "[perplexity]") {
  const auto dir = test::fixtures() / "random-tied";
  const auto weights = lm::Checkpoint::open(dir);
  const auto config = lm::read_model_config(dir);
  const lm::Model model(config, weights, at::kFloat);
  Ids ids(96);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i * 53 % 298);
  auto windows = lm::cut_windows(ids, {.context_length = 12});
  const double one_by_one = lm::score(model, windows, {.batch_size = 1}).value();
  CHECK(lm::score(model, windows, {.batch_size = 5}).value() == Approx(one_by_one).epsilon(1e-5));
  const lm::Model streaming(config, weights, at::kFloat, lm::Model::Blocks::streaming);
  for (const int64_t batches_per_pass : {0, 3, 1}) {
    CHECK(lm::score(streaming, windows, {.batch_size = 1, .batches_per_pass = batches_per_pass}).value() == one_by_one);
  }
  windows.ids = windows.ids.flip({0});
  CHECK(lm::score(model, windows, {.batch_size = 1}).value() == Approx(one_by_one).epsilon(1e-12));
}

TEST_CASE("the standard error is that of a ratio of sums over windows", "[perplexity]") {
  // Equal counts c: the standard error of a mean of means, s / sqrt(n).
  lm::Perplexity ppl{.windows = {{10, 5}, {20, 5}, {15, 5}, {35, 5}}};
  const double mean = (2.0 + 4 + 3 + 7) / 4;
  const double variance =
      ((2 - mean) * (2 - mean) + (4 - mean) * (4 - mean) + (3 - mean) * (3 - mean) + (7 - mean) * (7 - mean)) / 3;
  CHECK(ppl.mean_std_error() == Approx(std::sqrt(variance / 4)).epsilon(1e-12));
  CHECK(ppl.value() == Approx(std::exp(mean)));
  ppl.windows.resize(1);
  CHECK(std::isnan(ppl.mean_std_error()));
}

TEST_CASE("windows that a model cannot score are refused", "[perplexity]") {
  const test::ScratchDirectory dir;
  const auto config = test::small_config(8, 8);
  auto weights = test::zero_weights(config);
  const lm::Model model(config, weights, at::kFloat);
  const auto error_of = [&](const Windows& windows) {
    return dir.error_of([&] { (void)lm::score(model, windows, {}); });
  };
  CHECK(error_of({}) ==
        "there is no window to score\n  where: windows\n  why: the text has fewer tokens than one window\n"
        "  fix: use a longer text or a shorter context_length");
  CHECK(error_of(windows_of({Ids(65, 1)})) ==
        "a window is longer than the model's context\n  where: context_length\n"
        "  why: the window has 65 tokens, the model 64 positions\n  fix: lower context_length");
  CHECK(error_of(windows_of({{1, 8}})) ==
        "the tokens do not belong to this model\n  where: windows\n"
        "  why: token id 8 is outside the model's vocabulary of 8\n"
        "  fix: cut the windows with this model's own tokenizer");
  const std::string unscored =
      "a window has no token to score, or its first one\n  where: windows\n"
      "  why: the first token of a window has nothing before it that could predict it\n"
      "  fix: score at least one token of each window, from the second on";
  Windows windows = windows_of({{1, 2}, {3, 4}});
  windows.scored[1].fill_(false);
  CHECK(error_of(windows) == unscored);
  windows.scored.fill_(true);
  CHECK(error_of(windows) == unscored);
  for (const std::string& name : {std::string("lm_head.weight"), lm::linear_name(config, 0, lm::Linear::q),
                                  lm::linear_name(config, 1, lm::Linear::gate)}) {
    CAPTURE(name);
    test::MemoryWeights poisoned = test::zero_weights(config);
    poisoned.tensors()[name].view({-1})[0] = std::nan("");
    CHECK_THAT(dir.error_of([&] { const lm::Model broken(config, poisoned, at::kFloat); }),
               Catch::StartsWith("weights are not finite\n  where: " + name));
  }
  test::MemoryWeights overflowing = test::zero_weights(config);
  overflowing.tensors()["model.embed_tokens.weight"].fill_(1);
  overflowing.tensors()["lm_head.weight"].fill_(3e38F);
  const lm::Model broken(config, overflowing, at::kFloat);
  CHECK(dir.error_of([&] {
    (void)lm::score(broken, windows_of({{1, 2, 3}}), {});
  }) == "the loss of a window is not finite\n  where: window 0\n"
        "  why: its sum is nan: the weights or activations hold NaN or overflow\n"
        "  fix: compute in fp32, and look at how the model was quantized");
}

TEST_CASE("padding on either side changes no loss", "[perplexity]") {
  const auto dir = test::fixtures() / "random-untied";
  const auto weights = lm::Checkpoint::open(dir);
  const lm::Model model(lm::read_model_config(dir), weights, at::kDouble);
  const double plain = lm::score(model, windows_of({{1, 5, 9, 20}}), {}).value();
  Windows padded = windows_of({{0, 0, 1, 5, 9, 20}, {1, 5, 9, 20, 0, 0}});
  padded.keep = padded.ids != 0;
  padded.scored = padded.keep.logical_and(padded.ids != 1);
  const auto ppl = lm::score(model, padded, {.batch_size = 2});
  for (const lm::Nll& window : ppl.windows) {
    CHECK(window.count == 3);
    CHECK(std::exp(window.mean()) == Approx(plain).epsilon(1e-12));
  }
  const test::ScratchDirectory scratch;
  padded.keep[0][3] = false;
  CHECK(scratch.error_of([&] { (void)lm::score(model, padded, {}); }) ==
        "a window is not one stretch of tokens\n  where: attention_mask\n"
        "  why: padding stands between tokens, or a window has no token at all\n  fix: pad windows at their ends only");
}

TEST_CASE("windows of any lengths in one batch lose what each loses alone, in the order they came in", "[perplexity]") {
  const auto dir = test::fixtures() / "random-untied";
  const auto weights = lm::Checkpoint::open(dir);
  const lm::Model model(lm::read_model_config(dir), weights, at::kDouble);
  Windows padded = windows_of({{1, 7, 0, 0, 0, 0}, {1, 5, 9, 20, 0, 0}, {1, 8, 3, 0, 0, 0}, {1, 6, 2, 11, 4, 0}});
  padded.keep = padded.ids != 0;
  padded.scored = padded.keep.logical_and(padded.ids != 1);
  padded.scored[1][3] = false;  // a token behind the last one that is scored
  const std::vector<lm::Nll> alone{lm::score(model, windows_of({{1, 7}}), {}).windows[0],
                                   lm::score(model, windows_of({{1, 5, 9}}), {}).windows[0],
                                   lm::score(model, windows_of({{1, 8, 3}}), {}).windows[0],
                                   lm::score(model, windows_of({{1, 6, 2, 11, 4}}), {}).windows[0]};
  for (const int64_t batch_size : {1, 2, 3, 4}) {
    const auto ppl = lm::score(model, padded, {.batch_size = batch_size});
    REQUIRE(ppl.windows.size() == alone.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      CHECK(ppl.windows[i].count == alone[i].count);
      CHECK(ppl.windows[i].sum == Approx(alone[i].sum).epsilon(1e-12));
    }
  }
}

TEST_CASE("stories260K has the perplexity of its reference", "[perplexity][shared]") {
  const auto dir = test::shared_data("models/stories260K");
  const auto text_file = test::shared_data("text/tinystories-1MiB.txt");
  if (!dir || !text_file) return;
  const Json reference = test::read_json(*dir / "reference.json")["perplexity"];
  const auto tokenizer = lm::Tokenizer::open(*dir / "tokenizer.json");
  const std::string text = test::read_text(*text_file);
  const std::string separator = "<|endoftext|>";
  const auto block = reference["block"].get<int64_t>();
  const auto n_blocks = reference["blocks"].get<int64_t>();
  Ids ids;
  for (size_t begin = 0; static_cast<int64_t>(ids.size()) < block * n_blocks;) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    const std::string story = text.substr(begin, end - begin);
    const size_t first = story.find_first_not_of(" \n");
    const size_t last = story.find_last_not_of(" \n");
    const Ids story_ids = tokenizer.encode(story.substr(first, last - first + 1));
    ids.insert(ids.end(), story_ids.begin(), story_ids.end());
    begin = end + separator.size();
  }
  ids.resize(static_cast<size_t>(block * n_blocks));
  const Ids first_ids = reference["first_32_ids"].get<Ids>();
  CHECK(Ids(ids.begin(), ids.begin() + 32) == first_ids);
  const auto weights = lm::Checkpoint::open(*dir);
  const lm::Model model(lm::read_model_config(*dir), weights, at::kFloat);
  const auto ppl = lm::score(model, lm::cut_windows(ids, {.context_length = block}), {.batch_size = 10});
  CHECK(ppl.value() == Approx(reference["ppl"].get<double>()).epsilon(1e-5));  // asked: 1e-3
  CHECK(ppl.total().count == n_blocks * reference["targets_per_block"].get<int64_t>());
  for (size_t i = 0; i < 3; ++i) {
    CHECK(ppl.windows[i].mean() == Approx(reference["first_3_block_nll"][i].get<double>()).epsilon(1e-5));
  }
}
