#include "lm/train/schedule.h"

#include <algorithm>
#include <cmath>

namespace lowbit::lm::train {

double Schedule::factor(int64_t step) const {
  constexpr double kPi = 3.14159265358979323846;
  const auto s = static_cast<double>(step);
  const auto warmup = static_cast<double>(n_warmup);
  const auto total = static_cast<double>(n_steps);
  if (step < n_warmup) return s / warmup;
  const double progress = (s - warmup) / std::max(1.0, total - warmup);
  switch (shape) {
    case Shape::constant: return 1;
    case Shape::linear: return std::max(0.0, 1 - progress);
    case Shape::cosine: return step >= n_steps ? 0 : 0.5 * (1 + std::cos(kPi * progress));
    case Shape::trapezoid: break;
  }
  return std::clamp((total - s) / std::max(1.0, decay_fraction * total), 0.0, 1.0);
}

}  // namespace lowbit::lm::train
