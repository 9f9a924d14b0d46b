#include "lm/divergence.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "lm/quantized_model.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"

using namespace lowbit;

namespace {

lm::Windows some_windows(int64_t vocab_size) {
  const at::Tensor ids = (at::arange(5 * 14, at::kLong) * 29 + 11).remainder(vocab_size).view({5, 14});
  at::Tensor scored = at::ones_like(ids, at::kBool);
  scored.select(1, 0).fill_(false);
  scored[2].narrow(0, 0, 7).fill_(false);
  return {.ids = ids, .scored = scored, .keep = {}};
}

struct Read {
  explicit Read(const std::string& name, lm::Model::Blocks blocks = lm::Model::Blocks::resident)
      : weights(lm::Checkpoint::open(test::fixtures() / name)),
        model(lm::read_model_config(test::fixtures() / name), weights, at::kDouble, blocks) {}
  lm::Checkpoint weights;
  lm::Model model;
};

}  // namespace

// Both models predict the same tokens without looking at their input; the divergence is that of two softmaxes.
TEST_CASE("the divergence of constant predictions is the closed form", "[divergence]") {
  const lm::ModelConfig config = test::small_config(4, 4);
  const auto constant = [&](const std::vector<double>& logits) {
    test::MemoryWeights weights = test::zero_weights(config);
    weights.tensors()["model.embed_tokens.weight"] = at::full({4, 4}, 0.5, at::kDouble);  // normed: ones
    weights.tensors()["lm_head.weight"] = at::tensor(logits, at::kDouble).unsqueeze(1).expand({4, 4}) / 4;
    return weights;
  };
  const test::MemoryWeights p_weights = constant({1, 0, -1, 2});
  const test::MemoryWeights q_weights = constant({0, 1, 0.5, 0});
  const lm::Model p(config, p_weights, at::kDouble);
  const lm::Model q(config, q_weights, at::kDouble);
  const auto logits = [](const lm::Model& m) { return at::log_softmax(m.logits(at::full({4}, 0.5, at::kDouble)), -1); };
  const double expected = (logits(p).exp() * (logits(p) - logits(q))).sum().item<double>();
  const auto windows = lm::diverge(q, p, some_windows(4), {.batch_size = 2});
  REQUIRE(windows.size() == 5);
  for (size_t i = 0; i < 5; ++i) {
    const int64_t count = i == 2 ? 7 : 13;
    CHECK(windows[i].count == count);
    CHECK(windows[i].kl_sum == Approx(expected * static_cast<double>(count)).epsilon(1e-9));
    CHECK(windows[i].n_same_top == 0);  // token 3 against token 1
  }
  CHECK(expected > 0.1);
  CHECK(lm::mean_std_error(windows) < 1e-9);  // all tokens diverge alike
}

TEST_CASE("a model does not diverge from itself, and from another as its logits do", "[divergence]") {
  const Read model("random-mistral");
  const Read reference("random-mistral", lm::Model::Blocks::streaming);
  const auto windows = some_windows(model.model.config().vocab_size);
  for (const lm::Divergence& window : lm::diverge(model.model, reference.model, windows, {.batch_size = 2})) {
    CHECK(window.kl_sum == 0);
    CHECK(window.n_same_top == window.count);
  }

  // The same weights without the window see more: other logits, position by position in one pass.
  lm::ModelConfig config = model.model.config();
  config.windows.clear();
  const lm::Model wide(config, model.weights, at::kDouble);
  const auto found = lm::diverge(wide, reference.model, windows, {.batch_size = 3, .batches_per_pass = 1});
  for (int64_t i = 0; i < 5; ++i) {
    const at::Tensor ids = windows.ids.narrow(0, i, 1);
    const auto log_p = [&](const lm::Model& m) { return at::log_softmax(m.logits(m.forward(ids)), -1)[0]; };
    const at::Tensor p = log_p(reference.model);
    const at::Tensor q = log_p(wide);
    const at::Tensor kl = (p.exp() * (p - q)).sum(-1);
    const at::Tensor scored = windows.scored[i];
    double sum = 0;
    int64_t n_same = 0;
    for (int64_t t = 1; t < ids.size(1); ++t) {
      if (!scored[t].item<bool>()) continue;
      sum += kl[t - 1].item<double>();
      n_same += static_cast<int64_t>(p[t - 1].argmax().item<int64_t>() == q[t - 1].argmax().item<int64_t>());
    }
    CHECK(found[static_cast<size_t>(i)].kl_sum == Approx(sum).epsilon(1e-9));
    CHECK(found[static_cast<size_t>(i)].n_same_top == n_same);
  }
}

TEST_CASE("what stands in padding changes no divergence, where outliers are looked for either", "[divergence]") {
  const Read reference("random-untied");
  const test::ScratchDirectory dir;
  lm::copy_with_rules(test::fixtures() / "random-untied", dir.path(),
                      {.inputs = lm::ActivationGrid{.num_bits = 8}, .outlier_threshold = 1.5});
  const auto weights = lm::open_weights(dir.path());
  const lm::Model model(reference.model.config(), *weights, at::kDouble);
  constexpr int64_t kReal = 10;
  const auto sum = [&](int64_t pad_id, bool masked) {
    lm::Windows windows = some_windows(model.config().vocab_size);
    windows.ids.narrow(1, kReal, 4).fill_(pad_id);
    windows.scored.narrow(1, kReal, 4).fill_(false);
    if (masked) windows.keep = at::arange(14).lt(kReal).expand({5, 14});
    double all = 0;
    for (const lm::Divergence& window : lm::diverge(model, reference.model, windows, {.batch_size = 2})) {
      all += window.kl_sum;
    }
    return all;
  };
  CHECK(sum(3, true) == sum(17, true));
  CHECK(sum(3, false) != sum(17, false));  // as text they would count
}

TEST_CASE("models of different vocabularies are not compared", "[divergence]") {
  const Read a("random-tied"), b("random-untied");
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([&] { (void)lm::diverge(a.model, b.model, some_windows(20), {}); }) ==
        "the models do not predict the same tokens\n  where: reference\n"
        "  why: the model has 299 tokens, the reference 40\n  fix: compare models of one vocabulary");
}
