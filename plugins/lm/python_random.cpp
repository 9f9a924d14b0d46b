#include "lm/python_random.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

namespace lowbit::lm {
namespace {

/// init_by_array of mt19937ar.c as a standard seed sequence: what it generates becomes the engine's state.
class InitByArray {
 public:
  using result_type = std::uint_least32_t;
  /// The seed's digits in base 2^32, the lowest first; a zero is one digit.
  explicit InitByArray(std::uint64_t seed) : key_{static_cast<std::uint32_t>(seed)} {
    if (seed >> 32U != 0) key_.push_back(static_cast<std::uint32_t>(seed >> 32U));
  }

  /// REQUIRES: end - begin == 624.
  template <class Iterator>
  void generate(Iterator begin, Iterator end) const {
    constexpr std::uint32_t kSize = std::mt19937::state_size;
    std::array<std::uint32_t, kSize> state{};
    const auto mixed = [&](std::uint32_t i) { return state[i - 1] ^ (state[i - 1] >> 30U); };
    state[0] = 19650218U;
    for (std::uint32_t i = 1; i < kSize; ++i) state[i] = 1812433253U * mixed(i) + i;

    std::uint32_t i = 1;
    const auto advance = [&] {
      if (++i < kSize) return;
      state[0] = state[kSize - 1];
      i = 1;
    };
    const auto n_key = static_cast<std::uint32_t>(key_.size());
    for (std::uint32_t step = 0; step < std::max(kSize, n_key); ++step) {
      const std::uint32_t j = step % n_key;
      state[i] = (state[i] ^ (mixed(i) * 1664525U)) + key_[j] + j;
      advance();
    }
    for (std::uint32_t step = 1; step < kSize; ++step) {
      state[i] = (state[i] ^ (mixed(i) * 1566083941U)) - i;
      advance();
    }
    state[0] = 0x80000000U;
    std::copy(state.begin(), state.begin() + (end - begin), begin);
  }

 private:
  std::vector<std::uint32_t> key_;
};

std::mt19937 engine_of(std::uint64_t seed) {
  InitByArray sequence(seed);
  return std::mt19937(sequence);
}

}  // namespace

PythonRandom::PythonRandom(std::uint64_t seed) : engine_(engine_of(seed)) {}

std::uint64_t PythonRandom::getrandbits(int n) {
  const auto word = [&](int n_bits) {
    return static_cast<std::uint64_t>(engine_() >> static_cast<unsigned>(32 - n_bits));
  };
  if (n <= 32) return word(n);
  const std::uint64_t low = word(32);
  return low | word(n - 32) << 32U;
}

std::int64_t PythonRandom::randint(std::int64_t low, std::int64_t high) {
  const std::uint64_t n = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const auto n_bits = static_cast<int>(std::bit_width(n));  // of n, not of n - 1: Python draws for a power of two so
  std::uint64_t drawn = getrandbits(n_bits);
  while (drawn >= n) drawn = getrandbits(n_bits);
  return low + static_cast<std::int64_t>(drawn);
}

}  // namespace lowbit::lm
