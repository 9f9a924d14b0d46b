// How far a model's predictions are from a reference's: Kullback-Leibler divergence of the distributions of the next
// token. Unlike a difference of perplexities it cannot be zero while the models disagree.
#pragma once

#include <functional>
#include <vector>

#include "lm/model.h"
#include "lm/perplexity.h"

namespace lowbit::lm {

/// Of one window, over its scored tokens.
struct Divergence {
  double kl_sum = 0;       ///< of KL(reference || model), nats
  int64_t n_same_top = 0;  ///< tokens whose likeliest candidate is the same in both
  int64_t count = 0;
};

/// One for each window. Distributions are computed in fp32 (fp64 when the compute dtype is). The models may stream:
/// `batches_per_pass` batches go through a block before the next is read.
/// Throws Error{bad_param} when the vocabularies differ or the windows do not fit, Error{numeric} when a divergence is
/// not finite.
[[nodiscard]] std::vector<Divergence> diverge(const Model& model, const Model& reference, const Windows& windows,
                                              const ScoreOptions& options,
                                              const std::function<void(int64_t done, int64_t total)>& tick = {});

/// Standard error of the mean divergence per token, windows being what was drawn; NaN for fewer than two.
[[nodiscard]] double mean_std_error(const std::vector<Divergence>& windows);

}  // namespace lowbit::lm
