#include "lm/attend.h"

#include <math.h>

// The name that the loops below are compiled under: attend or attend_avx2.
#ifndef LOWBIT_ATTEND
#define LOWBIT_ATTEND attend
#endif

namespace lowbit::lm {
namespace {

constexpr int64_t kLanes = 8;

/// Eight sums side by side, so that the compiler may use vector registers without reordering a sum.
float dot(const float* a, const float* b, int64_t n) {
  float sums[kLanes] = {};  // NOLINT(*-avoid-c-arrays): std::array has inline functions
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace

void LOWBIT_ATTEND(const float* q, const float* keys, const float* values, int64_t n, int64_t d, float* scores,
                   float* out) {
  const float scale = 1 / sqrtf(static_cast<float>(d));
  float largest = -HUGE_VALF;
  for (int64_t s = 0; s < n; ++s) {
    scores[s] = dot(q, keys + s * d, d) * scale;
    largest = scores[s] > largest ? scores[s] : largest;
  }
  float total = 0;
  for (int64_t s = 0; s < n; ++s) {
    const float x = scores[s] - largest;
    scores[s] = x < -87 ? 0 : expf(x);  // below, expf is denormal or zero, and slow
    total += scores[s];
  }
  for (int64_t i = 0; i < d; ++i) out[i] = 0;
  for (int64_t s = 0; s < n; ++s) {
    const float weight = scores[s] / total;
    for (int64_t i = 0; i < d; ++i) out[i] += weight * values[s * d + i];
  }
}

}  // namespace lowbit::lm
