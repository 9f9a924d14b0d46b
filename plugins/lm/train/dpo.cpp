#include "lm/train/dpo.h"

namespace lowbit::lm::train {

at::Tensor dpo_loss(const PairLogps& policy, const PairLogps& reference, double beta) {
  const at::Tensor delta = (policy.chosen - reference.chosen) - (policy.rejected - reference.rejected);
  return at::softplus(delta * -beta);  // -log sigmoid(z) = softplus(-z), without overflow
}

DpoMetrics& DpoMetrics::operator+=(const DpoMetrics& other) {
  rewards_chosen += other.rewards_chosen;
  rewards_rejected += other.rewards_rejected;
  accuracy += other.accuracy;
  logps_chosen += other.logps_chosen;
  logps_rejected += other.logps_rejected;
  return *this;
}

DpoMetrics dpo_metrics(const PairLogps& policy, const PairLogps& reference, double beta) {
  const auto sum = [](const at::Tensor& t) { return t.sum(at::kDouble).item<double>(); };
  const at::Tensor chosen = beta * (policy.chosen.detach() - reference.chosen);
  const at::Tensor rejected = beta * (policy.rejected.detach() - reference.rejected);
  return {.rewards_chosen = sum(chosen),
          .rewards_rejected = sum(rejected),
          .accuracy = sum(chosen > rejected),
          .logps_chosen = sum(policy.chosen.detach()),
          .logps_rejected = sum(policy.rejected.detach())};
}

}  // namespace lowbit::lm::train
