// Random choices whose values are the same on every machine and with every standard library: own arithmetic on
// std::mt19937_64, none of the standard's distributions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>

namespace lowbit::tinymath {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}

  /// Uniform over low, low + 1, ... high. REQUIRES: low <= high.
  int between(int low, int high) {
    const auto n = static_cast<std::uint64_t>(high - low) + 1;
    const std::uint64_t surplus = (~std::uint64_t{0} % n + 1) % n;  // 2^64 mod n: as many values would come too often
    std::uint64_t x = engine_();
    while (x < surplus) x = engine_();
    return low + static_cast<int>(x % n);
  }
  bool chance(int percent) { return between(1, 100) <= percent; }

  template <class T, std::size_t N>
  const T& pick(const std::array<T, N>& list) {
    return list[index(N)];
  }
  /// Two different members.
  template <class T, std::size_t N>
  std::pair<const T&, const T&> pick_two(const std::array<T, N>& list) {
    const std::size_t first = index(N);
    const std::size_t second = index(N - 1);
    return {list[first], list[second < first ? second : second + 1]};
  }

 private:
  std::size_t index(std::size_t n) { return static_cast<std::size_t>(between(0, static_cast<int>(n) - 1)); }

  std::mt19937_64 engine_;
};

}  // namespace lowbit::tinymath
