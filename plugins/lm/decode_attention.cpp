#include "lm/decode_attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace lowbit::lm {
namespace {

/// Eight sums side by side, so that the compiler may use vector registers without reordering a sum.
float dot(const float* a, const float* b, int64_t n) {
  constexpr int64_t kLanes = 8;
  std::array<float, kLanes> sums{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[static_cast<size_t>(lane)] += a[i + lane] * b[i + lane];
  }
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

/// One query over `n` keys and values that follow each other; `scores` has room for n numbers.
void attend(const float* q, const float* keys, const float* values, int64_t n, int64_t d, float* scores, float* out) {
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t s = 0; s < n; ++s) {
    scores[s] = dot(q, keys + s * d, d) * scale;
    largest = std::max(largest, scores[s]);
  }
  float total = 0;
  for (int64_t s = 0; s < n; ++s) {
    scores[s] = std::exp(scores[s] - largest);
    total += scores[s];
  }
  std::fill(out, out + d, 0.0F);
  for (int64_t s = 0; s < n; ++s) {
    const float weight = scores[s] / total;
    for (int64_t i = 0; i < d; ++i) out[i] += weight * values[s * d + i];
  }
}

}  // namespace

at::Tensor decode_attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, int64_t n_seen,
                            const at::Tensor& n_pads) {
  const int64_t n_sequences = q.size(0);
  const int64_t n_heads = q.size(1);
  const int64_t d = q.size(3);
  const int64_t n_kv_heads = keys.size(1);
  const int64_t stride = keys.size(2) * d;  // from one key/value head to the next
  const at::Tensor queries = q.contiguous();
  at::Tensor out = at::empty_like(queries);
  const auto* q_at = queries.data_ptr<float>();
  const auto* k_at = keys.data_ptr<float>();
  const auto* v_at = values.data_ptr<float>();
  const int64_t* pads = n_pads.defined() ? n_pads.data_ptr<int64_t>() : nullptr;
  auto* out_at = out.data_ptr<float>();
  at::parallel_for(0, n_sequences, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scores(static_cast<size_t>(n_seen));
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = pads == nullptr ? 0 : pads[b];
      for (int64_t head = 0; head < n_heads; ++head) {
        const int64_t group = b * n_kv_heads + head / (n_heads / n_kv_heads);
        const int64_t cached = group * stride + first * d;
        const int64_t row = (b * n_heads + head) * d;
        attend(q_at + row, k_at + cached, v_at + cached, n_seen - first, d, scores.data(), out_at + row);
      }
    }
  });
  return out;
}

}  // namespace lowbit::lm
