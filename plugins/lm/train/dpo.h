// Direct preference optimization (Rafailov et al. 2023), sigmoid loss.
//
//   s(y)  = sum over the completion's tokens of log p(y_t | x, y_<t)
//   Delta = [s(chosen) - s_ref(chosen)] - [s(rejected) - s_ref(rejected)]
//   loss  = mean over pairs of -log sigmoid(beta Delta)
//
// Sums, not means over tokens; no label smoothing. The reference is a number per completion, computed before the first
// update with the very weights that are then trained.
#pragma once

#include "lm/torch.h"

namespace lowbit::lm::train {

/// Log-probabilities of n pairs, each [n].
struct PairLogps {
  at::Tensor chosen, rejected;
};

/// -log sigmoid(beta Delta) of each pair, [n].
[[nodiscard]] at::Tensor dpo_loss(const PairLogps& policy, const PairLogps& reference, double beta);

/// What TRL reports of a batch, under TRL's names: rewards are beta (policy - reference), a tie counts as wrong.
struct DpoMetrics {
  double rewards_chosen = 0, rewards_rejected = 0, accuracy = 0;  ///< sums over pairs
  double logps_chosen = 0, logps_rejected = 0;
  DpoMetrics& operator+=(const DpoMetrics& other);
};
[[nodiscard]] DpoMetrics dpo_metrics(const PairLogps& policy, const PairLogps& reference, double beta);

}  // namespace lowbit::lm::train
