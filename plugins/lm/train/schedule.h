// Learning rate over the planned optimizer steps, as a factor of its peak.
#pragma once

#include <cstdint>

namespace lowbit::lm::train {

struct Schedule {
  enum class Shape {
    constant,
    linear,    ///< to 0
    cosine,    ///< to 0, half a period
    trapezoid  ///< constant, then linear to 0 over the last `decay_fraction` of all steps
  };
  Shape shape = Shape::constant;
  int64_t n_steps = 1;
  int64_t n_warmup = 0;  ///< steps of linear rise; the first of them runs at 0, as Hugging Face has it
  double decay_fraction = 0.4;

  /// Factor of step `step`, counted from 0.
  [[nodiscard]] double factor(int64_t step) const;
};

}  // namespace lowbit::lm::train
