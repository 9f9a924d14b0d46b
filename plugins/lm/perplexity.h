// Token perplexity: exp of the mean negative log-likelihood, in nats, of tokens given the tokens before them in their
// window. Sums are kept in fp64.
//
//   const auto windows = lm::cut_windows(ids, {.context_length = 2048});   // the GPTQ papers' protocol
//   const lm::Perplexity ppl = lm::score(model, windows, {});
//   ppl.value();
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "lm/model.h"
#include "lm/token_batches.h"

namespace lowbit::lm {

/// Stretches of text of equal length, and which of their tokens are predicted.
struct Windows {
  at::Tensor ids;     // int64 [W, L]
  at::Tensor scored;  // bool [W, L]; column 0 is never scored: nothing predicts it
  at::Tensor keep;    // bool [W, L], false where a window is padded, on one side; undefined: nowhere
};

/// Of windows on disk; without a loss_mask, every real token behind a real one is scored.
[[nodiscard]] Windows windows_of(const TokenBatches& batches);

/// Throws Error{bad_param} when there is no window, a window is longer than the model's positions or has nothing to
/// score, or an id is beyond the vocabulary.
void check_windows(const Model& model, const Windows& windows);

struct WindowOptions {
  int64_t context_length = 0;   ///< L, tokens of a window; >= 2
  int64_t stride = 0;           ///< text tokens from window to window; 0: no overlap
  std::vector<int64_t> prefix;  ///< put before every window, part of its context_length (a start token per window)
};

/// Windows [0, L), [s, s + L), ... as long as they are full; what is left at the end is dropped. In overlapping windows
/// only tokens that no earlier window scored are scored. Throws Error{bad_param} for options out of range.
[[nodiscard]] Windows cut_windows(const std::vector<int64_t>& ids, const WindowOptions& options);

/// Loss of some tokens.
struct Nll {
  double sum = 0;     ///< nats
  int64_t count = 0;  ///< tokens

  [[nodiscard]] double mean() const { return sum / static_cast<double>(count); }
};

struct Perplexity {
  std::vector<Nll> windows;  ///< as scored
  [[nodiscard]] Nll total() const;
  [[nodiscard]] double value() const;  ///< exp of the mean over all tokens
  /// Standard error of the mean nll, windows taken as independent draws (a ratio estimate: they may differ in tokens);
  /// NaN for fewer than two.
  [[nodiscard]] double mean_std_error() const;
};

/// hidden [B, T, h] of `ids` [B, T] -> nll [B, T - 1] fp64 on the CPU, of token t + 1 in column t. The output matrix is
/// applied to a few positions at a time: the vocabulary may be large.
[[nodiscard]] at::Tensor token_nll(const Model& model, const at::Tensor& hidden, const at::Tensor& ids);

struct ScoreOptions {
  int64_t batch_size = 1;  ///< windows that are computed together
  /// A streaming model reads all its blocks once per so many batches, whose hidden states are kept meanwhile, [B, T, h]
  /// each; 0: once in all.
  int64_t batches_per_pass = 0;
};

/// `tick(done, total)`: called before every batch of every block, may throw to cancel.
/// Throws as check_windows(), and Error{numeric} when a loss is not finite.
[[nodiscard]] Perplexity score(const Model& model, const Windows& windows, const ScoreOptions& options,
                               const std::function<void(int64_t, int64_t)>& tick = {});

}  // namespace lowbit::lm
