// The law: softmax(q k / sqrt(d)) v, by both variants of the loops, beside the same in fp64. fp32 sums of up to 70
// terms of size one err by some 1e-6.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "lm/attend.h"

using namespace lowbit;

namespace {

std::vector<double> in_double(const std::vector<float>& q, const std::vector<float>& keys,
                              const std::vector<float>& values) {
  const std::size_t d = q.size();
  const std::size_t n = keys.size() / d;
  std::vector<double> weights(n);
  double total = 0;
  for (std::size_t s = 0; s < n; ++s) {
    double dot = 0;
    for (std::size_t i = 0; i < d; ++i) dot += double{q[i]} * double{keys[s * d + i]};
    total += weights[s] = std::exp(dot / std::sqrt(static_cast<double>(d)));
  }
  std::vector<double> out(d);
  for (std::size_t s = 0; s < n; ++s) {
    for (std::size_t i = 0; i < d; ++i) out[i] += weights[s] / total * double{values[s * d + i]};
  }
  return out;
}

}  // namespace

TEST_CASE("both variants of attention are that of fp64, whatever the head's size", "[attend]") {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<decltype(&lm::attend)> variants{lm::attend};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) variants.push_back(lm::attend_avx2);
#endif
  for (const std::size_t d : {1U, 7U, 8U, 32U, 36U}) {
    for (const std::size_t n : {1U, 2U, 70U}) {
      std::vector<float> q(d), keys(n * d), values(n * d);
      for (auto* numbers : {&q, &keys, &values}) {
        for (float& x : *numbers) x = normal(random);
      }
      const std::vector<double> expected = in_double(q, keys, values);
      for (const auto variant : variants) {
        std::vector<float> scores(n), out(d);
        variant(q.data(), keys.data(), values.data(), static_cast<int64_t>(n), static_cast<int64_t>(d), scores.data(),
                out.data());
        for (std::size_t i = 0; i < d; ++i) CHECK(double{out[i]} == Approx(expected[i]).margin(1e-5));
      }
    }
  }
}

TEST_CASE("a key far below the others weighs nothing", "[attend]") {
  const std::vector<float> q{1}, keys{0, -1000, 0}, values{2, 777, 4};
  std::vector<float> scores(3), out(1);
  lm::attend(q.data(), keys.data(), values.data(), 3, 1, scores.data(), out.data());
  CHECK(out[0] == 3);
}
