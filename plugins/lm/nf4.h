// NormalFloat4 with double quantization: QLoRA, Dettmers et al. 2023, arXiv:2305.14314, section 3.
//
// A code names one of 16 numbers in [-1, 1], quantiles of the normal distribution; a block of consecutive weights of
// the matrix, row after row and so over the ends of rows, shares the scale a = max |w|: w ~ a * codebook[code].
// Double quantization rounds the scales too: a - mean(a) over the matrix, in blocks of 256 scales to the 8-bit signed
// dynamic map times the largest |a - mean(a)| of the block.
//
// Which rounding, exactly: w * (1 / a) in fp32 to the nearest number of the map, the lower one of two equally near;
// the mean is summed in fp64 and kept in fp32. These are bitsandbytes' rules (0.50, its CPU code), whose bytes
// tests/numerics/nf4_test.cpp compares; only there the mean is summed in fp32, so that its last bit may differ.
//
// Letters: m rows (out features), n columns (in features), N = m n, B = ceil(N / block_size) blocks.
// Thread rule: free functions without state.
#pragma once

#include <array>
#include <cstdint>

#include "lm/torch.h"

namespace lowbit::lm {

/// The 16 values, ascending; 0, -1 and 1 are among them. Appendix E of the paper: seven quantiles below zero, eight
/// above, from the probability 0.9677083 on, over the largest.
[[nodiscard]] const std::array<float, 16>& nf4_codebook();

/// The signed 8-bit map of Dettmers 2016 (arXiv:1511.04561), ascending: 0, 1 and, for each exponent i = 0 .. 6, plus
/// and minus the middles of 2^i equal parts of [0.1, 1] times 10^(i - 6).
[[nodiscard]] const std::array<float, 256>& dynamic_map();

struct Nf4Options {
  int64_t block_size = 64;  ///< weights that share a scale: a power of two, 32 .. 4096
  bool double_quant = true;
};

/// Throws Error{bad_param} that names the option.
void check(const Nf4Options& options);

inline constexpr int64_t kNestedBlock = 256;  ///< scales that share an fp32 number

struct Nf4Matrix {
  int64_t block_size = 64;
  at::Tensor codes;          // uint8 [m, n], below 16
  at::Tensor absmax;         // double quantization: uint8 [B], codes of dynamic_map(); else fp32 [B]
  at::Tensor nested_absmax;  // fp32 [ceil(B / 256)]; undefined without double quantization
  at::Tensor offset;         // fp32 [1], mean of the scales; undefined without double quantization

  [[nodiscard]] bool double_quant() const { return nested_absmax.defined(); }
};

/// w: [m, n], any floating dtype. Throws Error{bad_param}, and Error{numeric} when a weight is not finite.
[[nodiscard]] Nf4Matrix quantize_nf4(const at::Tensor& w, const Nf4Options& options);

/// The scales that the codes are multiplied with: fp32 [B].
[[nodiscard]] at::Tensor scales_of(const Nf4Matrix& matrix);
/// fp32 [m, n]
[[nodiscard]] at::Tensor dequantize(const Nf4Matrix& matrix);

/// Bits the matrix takes as quantized-model/1 stores it: 4 + 8 / 64 + 32 / (64 * 256) = 4.127 a weight, and 32 bits for
/// the mean.
[[nodiscard]] int64_t stored_bits(const Nf4Matrix& matrix);

}  // namespace lowbit::lm
