#include "lm/decode_attention.h"

#include <algorithm>
#include <vector>

#include "lm/kernels.h"

namespace lowbit::lm {

at::Tensor decode_attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, int64_t n_seen,
                            const at::Tensor& n_pads, int64_t window) {
  const int64_t n_sequences = q.size(0);
  const int64_t n_heads = q.size(1);
  const int64_t d = q.size(3);
  const int64_t n_kv_heads = keys.size(1);
  const int64_t stride = keys.size(2) * d;  // from one key/value head to the next
  const at::Tensor queries = q.contiguous();
  at::Tensor out = at::empty_like(queries);
  const auto* q_at = queries.data_ptr<float>();
  const bool is_bf16 = keys.scalar_type() == at::kBFloat16;
  const int64_t* pads = n_pads.defined() ? n_pads.data_ptr<int64_t>() : nullptr;
  auto* out_at = out.data_ptr<float>();
  const int64_t at_least = std::max<int64_t>(1, 32768 / (n_seen * d));  // heads worth a thread
  const auto attend = [&](const auto& kernel, const auto* k_at, const auto* v_at, int64_t begin, int64_t end) {
    std::vector<float> scores(static_cast<size_t>(n_seen));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t b = i / n_heads;
      const int64_t first = std::max(pads == nullptr ? 0 : pads[b], window == 0 ? 0 : n_seen - window);
      const int64_t group = b * n_kv_heads + (i % n_heads) / (n_heads / n_kv_heads);
      const int64_t cached = group * stride + first * d;
      const int64_t row = i * d;
      kernel(q_at + row, k_at + cached, v_at + cached, n_seen - first, d, scores.data(), out_at + row);
    }
  };
  at::parallel_for(0, n_sequences * n_heads, at_least, [&](int64_t begin, int64_t end) {
    if (is_bf16) {
      attend(kernels().attend_bf16, static_cast<const uint16_t*>(keys.data_ptr()),
             static_cast<const uint16_t*>(values.data_ptr()), begin, end);
    } else {
      attend(kernels().attend, keys.data_ptr<float>(), values.data_ptr<float>(), begin, end);
    }
  });
  return out;
}

}  // namespace lowbit::lm
