#include "lm/nf4.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "lm/error.h"
#include "lm/packing.h"
#include "lm/rtn.h"

namespace lowbit::lm {
namespace {

constexpr float kLeastAbsmax = 1e-38F;  // a block of zeros must not divide by zero

/// Middles between neighbours: what lies above bounds[i] rounds to i + 1 or higher.
template <size_t N>
std::array<float, N - 1> bounds_of(const std::array<float, N>& map) {
  std::array<float, N - 1> bounds{};
  for (size_t i = 0; i + 1 < N; ++i) bounds[i] = (map[i] + map[i + 1]) / 2;
  return bounds;
}

/// Codes of `values` [n] and the largest absolute value of each block.
template <size_t N>
void round_to_map(const float* values, int64_t n, int64_t block_size, const std::array<float, N>& map, uint8_t* codes,
                  float* absmax) {
  const auto bounds = bounds_of(map);
  const int64_t n_blocks = (n + block_size - 1) / block_size;
  at::parallel_for(0, n_blocks, 64, [&](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; ++block) {
      const int64_t begin = block * block_size;
      const int64_t end = std::min(n, begin + block_size);
      float largest = 0;
      for (int64_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(values[i]));
      absmax[block] = largest;
      const float inverse = 1.0F / std::max(largest, kLeastAbsmax);
      for (int64_t i = begin; i < end; ++i) {
        const float x = std::clamp(values[i] * inverse, -1.0F, 1.0F);
        codes[i] = static_cast<uint8_t>(std::lower_bound(bounds.begin(), bounds.end(), x) - bounds.begin());
      }
    }
  });
}

template <size_t N>
at::Tensor map_tensor(const std::array<float, N>& map) {
  return at::tensor(at::ArrayRef<float>(map.data(), N), at::kFloat);
}

}  // namespace

const std::array<float, 16>& nf4_codebook() {
  static constexpr std::array<float, 16> kCodebook{
      -1.0F,         -0.696192801F, -0.525073051F, -0.394917488F, -0.284441382F, -0.18477343F, -0.0910500363F, 0.0F,
      0.0795802996F, 0.160930201F,  0.246112302F,  0.337915242F,  0.440709829F,  0.562617004F, 0.722956836F,   1.0F};
  return kCodebook;
}

const std::array<float, 256>& dynamic_map() {
  static const std::array<float, 256> kMap = [] {
    std::array<float, 256> map{};
    size_t filled = 0;
    for (int exponent = 0; exponent < 7; ++exponent) {
      const int n_parts = 1 << exponent;
      const float step = (1.0F - 0.1F) / static_cast<float>(n_parts);
      // Counted from the nearer end, with one rounding: the fp32 numbers that other tools keep in their files.
      const auto boundary = [&](int k) {
        return k < (n_parts + 1) / 2 ? static_cast<float>(0.1F + static_cast<double>(step) * k)
                                     : static_cast<float>(1.0 - static_cast<double>(step) * (n_parts - k));
      };
      const auto power = static_cast<float>(std::pow(10.0, exponent - 6));
      for (int k = 0; k < n_parts; ++k) {
        const float middle = (boundary(k) + boundary(k + 1)) / 2 * power;
        map[filled++] = middle;
        map[filled++] = -middle;
      }
    }
    map[filled++] = 0;
    map[filled++] = 1;
    std::sort(map.begin(), map.end());
    return map;
  }();
  return kMap;
}

void check(const Nf4Options& options) {
  const int64_t size = options.block_size;
  if (size >= 32 && size <= 4096 && (size & (size - 1)) == 0) return;
  throw Error(Status::bad_param, {.what = "block_size is not one of NF4's",
                                  .where = "block_size",
                                  .why = "it is " + std::to_string(size) +
                                         ", other tools read powers of two from 32 "
                                         "to 4096",
                                  .fix = "use 64, as the authors do"});
}

Nf4Matrix quantize_nf4(const at::Tensor& w, const Nf4Options& options) {
  check(options);
  const at::Tensor source = finite_copy(w);
  const int64_t n = source.numel();
  const int64_t n_blocks = (n + options.block_size - 1) / options.block_size;
  Nf4Matrix result{.block_size = options.block_size,
                   .codes = at::empty(source.sizes(), at::kByte),
                   .absmax = at::empty({n_blocks}, at::kFloat),
                   .nested_absmax = {},
                   .offset = {}};
  round_to_map(source.data_ptr<float>(), n, options.block_size, nf4_codebook(), result.codes.data_ptr<uint8_t>(),
               result.absmax.data_ptr<float>());
  if (!options.double_quant) return result;
  const at::Tensor mean = result.absmax.mean(at::kDouble).to(at::kFloat);
  const at::Tensor centred = result.absmax - mean;
  result.absmax = at::empty({n_blocks}, at::kByte);
  result.nested_absmax = at::empty({(n_blocks + kNestedBlock - 1) / kNestedBlock}, at::kFloat);
  round_to_map(centred.data_ptr<float>(), n_blocks, kNestedBlock, dynamic_map(), result.absmax.data_ptr<uint8_t>(),
               result.nested_absmax.data_ptr<float>());
  result.offset = mean.view({1});
  return result;
}

at::Tensor scales_of(const Nf4Matrix& matrix) {
  if (!matrix.double_quant()) return matrix.absmax;
  const int64_t n_blocks = matrix.absmax.numel();
  const at::Tensor nested = matrix.nested_absmax.repeat_interleave(kNestedBlock).narrow(0, 0, n_blocks);
  return map_tensor(dynamic_map()).index_select(0, matrix.absmax.to(at::kLong)) * nested + matrix.offset;
}

at::Tensor dequantize(const Nf4Matrix& matrix) {
  const at::Tensor scales = scales_of(matrix).contiguous();
  const at::Tensor codes = matrix.codes.contiguous();
  at::Tensor values = at::empty(codes.sizes(), at::kFloat);
  const auto& codebook = nf4_codebook();
  const auto* const code = codes.data_ptr<uint8_t>();
  const float* const scale = scales.data_ptr<float>();
  auto* const value = values.data_ptr<float>();
  at::parallel_for(0, codes.numel(), 1 << 14, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) value[i] = codebook[code[i] & 15U] * scale[i / matrix.block_size];
  });
  return values;
}

int64_t stored_bits(const Nf4Matrix& matrix) {
  int64_t bits = 8 * packed_bytes(matrix.codes.numel(), 4);
  bits += 8 * static_cast<int64_t>(matrix.absmax.nbytes());
  if (matrix.double_quant()) bits += 8 * static_cast<int64_t>(matrix.nested_absmax.nbytes() + matrix.offset.nbytes());
  return bits;
}

}  // namespace lowbit::lm
