#include "lm/packing.h"

#include <algorithm>

#include "lm/error.h"

namespace lowbit::lm {
namespace {

int64_t rows_per_thread(int64_t n) { return std::max<int64_t>(1, 65536 / std::max<int64_t>(n, 1)); }

}  // namespace

at::Tensor pack(const at::Tensor& codes, int num_bits) {
  const at::Tensor source = codes.cpu().contiguous();
  const int64_t m = source.size(0);
  const int64_t n = source.size(1);
  const int64_t width = packed_bytes(n, num_bits);
  at::Tensor packed = at::zeros({m, width}, at::kByte);
  const auto* from = source.data_ptr<uint8_t>();
  auto* to = packed.data_ptr<uint8_t>();
  at::parallel_for(0, m, rows_per_thread(n), [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      const uint8_t* const codes_of_row = from + r * n;
      uint8_t* const bytes = to + r * width;
      for (int64_t j = 0; j < n; ++j) {
        const int64_t bit = j * num_bits;
        const unsigned value = static_cast<unsigned>(codes_of_row[j]) << (bit % 8);
        bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] | (value & 0xFFU));
        if (value > 0xFFU) bytes[bit / 8 + 1] = static_cast<uint8_t>(value >> 8U);
      }
    }
  });
  return packed;
}

at::Tensor unpack(const at::Tensor& packed, int num_bits, int64_t n) {
  const int64_t width = packed_bytes(n, num_bits);
  if (packed.dim() != 2 || packed.size(1) != width || packed.scalar_type() != at::kByte) {
    throw Error(Status::bad_input, {.what = "packed codes have the wrong size",
                                    .where = "a quantized matrix",
                                    .why = std::to_string(n) + " codes of " + std::to_string(num_bits) + " bits take " +
                                           std::to_string(width) + " bytes a row, found " +
                                           std::to_string(packed.dim() == 2 ? packed.size(1) : 0),
                                    .fix = "quantize the model again"});
  }
  const at::Tensor source = packed.contiguous();
  const int64_t m = source.size(0);
  at::Tensor codes = at::empty({m, n}, at::kByte);
  const auto* from = source.data_ptr<uint8_t>();
  auto* to = codes.data_ptr<uint8_t>();
  const unsigned mask = (1U << static_cast<unsigned>(num_bits)) - 1;
  at::parallel_for(0, m, rows_per_thread(n), [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      const uint8_t* const bytes = from + r * width;
      uint8_t* const codes_of_row = to + r * n;
      for (int64_t j = 0; j < n; ++j) {
        const int64_t bit = j * num_bits;
        unsigned value = static_cast<unsigned>(bytes[bit / 8]) >> (bit % 8);
        if (bit % 8 + num_bits > 8) value |= static_cast<unsigned>(bytes[bit / 8 + 1]) << (8 - bit % 8);
        codes_of_row[j] = static_cast<uint8_t>(value & mask);
      }
    }
  });
  return codes;
}

}  // namespace lowbit::lm
