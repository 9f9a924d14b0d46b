// Python's `random` module, draw for draw: what the published code of most quantization papers picks its calibration
// windows with.
//
//   lm::PythonRandom random(0);                      // random.seed(0)
//   const int64_t at = random.randint(0, 338535);    // random.randint(0, 338535)
//
// Source: CPython 3.2 to 3.13, Modules/_randommodule.c and Lib/random.py; the generator is Matsumoto and Nishimura's
// MT19937, which std::mt19937 is too. What Python adds is the seeding by array and the way bits become a range.
#pragma once

#include <cstdint>
#include <random>

namespace lowbit::lm {

class PythonRandom {
 public:
  /// random.seed(seed).
  explicit PythonRandom(std::uint64_t seed);

  /// random.getrandbits(n). REQUIRES: 1 <= n <= 64.
  [[nodiscard]] std::uint64_t getrandbits(int n);
  /// random.randint(low, high): both ends can be drawn. REQUIRES: low <= high < low + 2^63.
  [[nodiscard]] std::int64_t randint(std::int64_t low, std::int64_t high);

 private:
  std::mt19937 engine_;
};

}  // namespace lowbit::lm
