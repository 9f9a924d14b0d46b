#include "lm/train/dpo.h"

#include <cmath>

namespace lowbit::lm::train {

at::Tensor PreferenceLoss::operator()(const PairValues& policy, const PairValues& reference,
                                      const PairValues& n_tokens) const {
  const at::Tensor chosen = policy.chosen - reference.chosen;
  const at::Tensor rejected = policy.rejected - reference.rejected;
  if (kind == Kind::ipo) {
    return (chosen / n_tokens.chosen - rejected / n_tokens.rejected - 1 / (2 * beta)).square();
  }
  const at::Tensor delta = chosen - rejected;
  if (kind == Kind::hinge) return at::relu(1 - beta * delta);
  const at::Tensor right = at::softplus(delta * -beta);  // -log sigmoid(z) = softplus(-z), without overflow
  if (label_smoothing == 0) return right;
  return (1 - label_smoothing) * right + label_smoothing * at::softplus(delta * beta);
}

double PreferenceLoss::at_start() const {
  switch (kind) {
    case Kind::sigmoid: return std::log(2.0);
    case Kind::ipo: return 1 / (4 * beta * beta);
    case Kind::hinge: return 1;
  }
  return 0;
}

DpoMetrics& DpoMetrics::operator+=(const DpoMetrics& other) {
  rewards_chosen += other.rewards_chosen;
  rewards_rejected += other.rewards_rejected;
  accuracy += other.accuracy;
  logps_chosen += other.logps_chosen;
  logps_rejected += other.logps_rejected;
  return *this;
}

DpoMetrics dpo_metrics(const PairValues& policy, const PairValues& reference, double beta) {
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
