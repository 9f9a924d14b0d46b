// Codes of 1 to 8 bits as a bit stream: value j of a row occupies bits b j .. b j + b - 1, least significant first,
// rows padded to whole bytes. Read as little-endian 32-bit words this is the common GPTQ layout (3-bit values straddle
// words).
#pragma once

#include "lm/torch.h"

namespace lowbit::lm {

/// Bytes that n values take in a row.
[[nodiscard]] inline int64_t packed_bytes(int64_t n, int num_bits) { return (n * num_bits + 7) / 8; }

/// codes: uint8 [m, n], all < 2^num_bits -> uint8 [m, ceil(n num_bits / 8)].
[[nodiscard]] at::Tensor pack(const at::Tensor& codes, int num_bits);
/// The inverse: n values per row. Throws Error{bad_input} when `packed` is not a uint8 matrix of the width n values
/// take.
[[nodiscard]] at::Tensor unpack(const at::Tensor& packed, int num_bits, int64_t n);

}  // namespace lowbit::lm
