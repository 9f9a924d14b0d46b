// Direct preference optimization of a policy against its reference, on pairs of completions.
//
//   s(y)   = sum over the completion's tokens of log p(y_t | x, y_<t)
//   Delta  = [s(chosen) - s_ref(chosen)] - [s(rejected) - s_ref(rejected)]
//   Delta' = the same with each s divided by the number of its completion's tokens
//
//   sigmoid  -(1 - eps) log sigmoid(beta Delta) - eps log sigmoid(-beta Delta)    Rafailov et al. 2023, equation 7;
//                                                                                  eps: Mitchell 2023 (cDPO)
//   ipo      (Delta' - 1 / (2 beta))^2                                             Azar et al. 2023, equation 17
//   hinge    max(0, 1 - beta Delta)                                                Zhao et al. 2023 (SLiC)
//
// Means over tokens in ipo as its authors compute it (and TRL with them); sums elsewhere. The reference is a number per
// completion, computed before the first update with the very weights that are then trained.
#pragma once

#include "lm/torch.h"

namespace lowbit::lm::train {

/// Of n pairs, each [n].
struct PairValues {
  at::Tensor chosen, rejected;
};

struct PreferenceLoss {
  enum class Kind { sigmoid, ipo, hinge };
  Kind kind = Kind::sigmoid;
  double beta = 0.1;
  double label_smoothing = 0;  ///< eps, from 0 to below 0.5; of sigmoid

  /// Of each pair, [n]. Policy and reference: s; n_tokens: of the completions.
  [[nodiscard]] at::Tensor operator()(const PairValues& policy, const PairValues& reference,
                                      const PairValues& n_tokens) const;
  /// Where policy and reference are the same.
  [[nodiscard]] double at_start() const;
};

/// What TRL reports of a batch, under TRL's names: rewards are beta (s - s_ref), a tie counts as wrong.
struct DpoMetrics {
  double rewards_chosen = 0, rewards_rejected = 0, accuracy = 0;  ///< sums over pairs
  double logps_chosen = 0, logps_rejected = 0;
  DpoMetrics& operator+=(const DpoMetrics& other);
};
[[nodiscard]] DpoMetrics dpo_metrics(const PairValues& policy, const PairValues& reference, double beta);

}  // namespace lowbit::lm::train
