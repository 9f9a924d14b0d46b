#include "lm/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "lm/error.h"
#include "lm/fused.h"

namespace lowbit::lm {
namespace {

constexpr int64_t kComparedAtOnce = 128;  // positions whose logits are held at once

struct Compared {
  int64_t first, n;  // windows
  at::Tensor ids;    // [n, T]
  at::Tensor keep;   // bool [n, T], false on padding; undefined: none
};

/// Hidden states [n, T, h] of each batch behind all blocks.
std::vector<at::Tensor> behind_blocks(const Model& model, const std::vector<Compared>& batches,
                                      const std::function<void()>& tick) {
  const ModelConfig& config = model.config();
  std::vector<Positions> positions;
  std::vector<at::Tensor> hidden;
  for (const Compared& batch : batches) {
    const at::Tensor n_pads = batch.keep.defined() ? left_padding(batch.keep) : at::Tensor();
    Positions& at = positions.emplace_back(config, 0, batch.ids.size(1), n_pads, model.options());
    if (batch.keep.defined()) at.real = batch.keep.to(model.options().device());
    hidden.push_back(model.embed(batch.ids, positions.back()));
  }
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    const BlockWeights w = model.block(block);
    for (size_t i = 0; i < batches.size(); ++i) {
      tick();
      hidden[i] = block_forward(config, w, hidden[i], positions[i]);
    }
  }
  return hidden;
}

struct TokenDivergence {
  at::Tensor kl;        // [n, T - 1] fp64, on the CPU
  at::Tensor same_top;  // bool [n, T - 1], on the CPU
};

TokenDivergence compare_logits(const Model& model, const at::Tensor& hidden, const Model& reference,
                               const at::Tensor& reference_hidden) {
  std::vector<at::Tensor> kl, same_top;
  const int64_t n_targets = hidden.size(1) - 1;
  for (int64_t begin = 0; begin < n_targets; begin += kComparedAtOnce) {
    const int64_t length = std::min(kComparedAtOnce, n_targets - begin);
    const auto log_probabilities = [&](const Model& m, const at::Tensor& h) {
      return at::log_softmax(m.logits(h.narrow(1, begin, length)).to(wide(m.dtype())), -1);
    };
    const at::Tensor expected = log_probabilities(reference, reference_hidden);
    const at::Tensor found = log_probabilities(model, hidden);
    kl.push_back((expected.exp() * (expected - found)).sum(-1, false, at::kDouble));
    same_top.push_back(expected.argmax(-1) == found.argmax(-1));
  }
  return {at::cat(kl, 1).to(at::kCPU), at::cat(same_top, 1).to(at::kCPU)};
}

}  // namespace

std::vector<Divergence> diverge(const Model& model, const Model& reference, const Windows& windows,
                                const ScoreOptions& options, const std::function<void(int64_t, int64_t)>& tick) {
  const c10::InferenceMode no_gradients;
  if (model.config().vocab_size != reference.config().vocab_size) {
    throw Error(Status::bad_param, {.what = "the models do not predict the same tokens",
                                    .where = "reference",
                                    .why = "the model has " + std::to_string(model.config().vocab_size) +
                                           " tokens, the reference " + std::to_string(reference.config().vocab_size),
                                    .fix = "compare models of one vocabulary"});
  }
  check_windows(model, windows);
  check_windows(reference, windows);
  const int64_t n_windows = windows.ids.size(0);
  const int64_t n_batches = (n_windows + options.batch_size - 1) / options.batch_size;
  const bool streaming = model.streaming() || reference.streaming();
  const int64_t per_pass = !streaming ? 1 : options.batches_per_pass == 0 ? n_batches : options.batches_per_pass;
  const int64_t n_steps = n_batches * (model.config().n_blocks + reference.config().n_blocks);
  int64_t done = 0;
  const auto step = [&] {
    if (tick) tick(done++, n_steps);
  };
  std::vector<Divergence> result;
  for (int64_t pass = 0; pass < n_batches; pass += per_pass) {
    std::vector<Compared> batches;
    for (int64_t b = pass; b < std::min(pass + per_pass, n_batches); ++b) {
      const int64_t first = b * options.batch_size;
      const int64_t n = std::min(options.batch_size, n_windows - first);
      const at::Tensor keep = windows.keep.defined() ? windows.keep.narrow(0, first, n) : at::Tensor();
      batches.push_back({first, n, windows.ids.narrow(0, first, n), keep});
    }
    const std::vector<at::Tensor> found = behind_blocks(model, batches, step);
    const std::vector<at::Tensor> expected = behind_blocks(reference, batches, step);
    for (size_t i = 0; i < batches.size(); ++i) {
      const TokenDivergence tokens = compare_logits(model, found[i], reference, expected[i]);
      for (int64_t row = 0; row < batches[i].n; ++row) {
        const int64_t window = batches[i].first + row;
        const at::Tensor scored = windows.scored[window].narrow(0, 1, windows.ids.size(1) - 1);
        const Divergence divergence{.kl_sum = tokens.kl[row].masked_select(scored).sum().item<double>(),
                                    .n_same_top = tokens.same_top[row].logical_and(scored).sum().item<int64_t>(),
                                    .count = scored.sum().item<int64_t>()};
        if (!std::isfinite(divergence.kl_sum)) {
          throw Error(Status::numeric, {.what = "the divergence in a window is not finite",
                                        .where = "window " + std::to_string(window),
                                        .why = "one of the models computes NaN or overflows",
                                        .fix = "compute in fp32, and look at how the model was quantized"});
        }
        result.push_back(divergence);
      }
    }
  }
  return result;
}

double mean_std_error(const std::vector<Divergence>& windows) {
  std::vector<Nll> sums;
  for (const Divergence& window : windows) sums.push_back({window.kl_sum, window.count});
  return Perplexity{.windows = sums}.mean_std_error();
}

}  // namespace lowbit::lm
