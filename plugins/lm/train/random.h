// Random numbers as pure functions of (seed, position): a resumed job needs no generator state, and what one use draws
// shifts no other.
#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <cstdint>
#include <initializer_list>

#include "lm/torch.h"

namespace lowbit::lm::train {

/// A seed for the place `position` under `seed`, such as {step, shard}: splitmix64 chained over its parts.
[[nodiscard]] inline uint64_t seed_at(uint64_t seed, std::initializer_list<int64_t> position) {
  const auto splitmix = [](uint64_t x) {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
  };
  for (const int64_t part : position) seed = splitmix(splitmix(seed) ^ static_cast<uint64_t>(part));
  return seed;
}

[[nodiscard]] inline at::Generator generator_at(uint64_t seed, std::initializer_list<int64_t> position) {
  return at::make_generator<at::CPUGeneratorImpl>(seed_at(seed, position));
}

}  // namespace lowbit::lm::train
