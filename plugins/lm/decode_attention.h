// Attention of one new position over a cache of keys and values: what generation spends its time on when it is written
// as many small matrix products. Rows are independent of each other: a sequence is answered alike in any batch.
#pragma once

#include <cstdint>

#include "lm/torch.h"

namespace lowbit::lm {

/// q: [B, n, 1, d]; keys, values: [B, m, capacity, d], of which positions 0 .. n_seen - 1 are filled, head i reading
/// group i / (n / m); n_pads: left padding per sequence, [B] int64, or undefined. Returns [B, n, 1, d]:
/// softmax(q k / sqrt(d)) v over the positions that are not padding, the last `window` of them (0: all). q and what
/// is returned in fp32, keys and values in fp32 or bf16, contiguous; on the CPU, without gradients. REQUIRES: n_pads <
/// n_seen.
[[nodiscard]] at::Tensor decode_attention(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                                          int64_t n_seen, const at::Tensor& n_pads, int64_t window = 0);

}  // namespace lowbit::lm
