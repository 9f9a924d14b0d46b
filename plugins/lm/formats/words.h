// What the formats of other tools share: codes in 32-bit words, one grid for a whole model, and how a format says that
// it cannot hold something.
// Thread rule: free functions without state.
#pragma once

#include <cstdint>
#include <string>

#include "lm/grid.h"
#include "lm/quantized_model.h"

namespace lowbit::lm::formats {

/// codes: uint8 [m, n], below 2^num_bits -> int32 [m, ceil(n num_bits / 32)]: a bit stream a row, least significant
/// first, zeros at its end.
[[nodiscard]] at::Tensor to_words(const at::Tensor& codes, int num_bits);
/// The inverse: the first n codes of each row. words: int32 [m, ceil(n num_bits / 32)].
[[nodiscard]] at::Tensor from_words(const at::Tensor& words, int num_bits, int64_t n);

/// Throws Error{bad_input}: `format` has no place for what `where` holds.
[[noreturn]] void cannot_hold(const std::string& format, const std::string& where, const std::string& why,
                              const std::string& fix);
/// Throws Error{bad_input}: a file in some format contradicts itself.
[[noreturn]] void malformed_format(const std::string& where, const std::string& why);

/// "float16", "bfloat16" or "float32", as configurations write it.
[[nodiscard]] const char* torch_name(at::ScalarType dtype);

/// fp16, refused where that would move a scale: what is loaded would not be what was evaluated.
[[nodiscard]] at::Tensor half_scales(const at::Tensor& scale, const std::string& format, const std::string& module);

/// The tensor, of this shape and dtype. Throws Error{bad_input} that names it.
[[nodiscard]] at::Tensor expect_tensor(const WeightSource& stored, const std::string& name, at::IntArrayRef shape,
                                       at::ScalarType dtype);

/// `group_index` left out where it says what equal widths say; `symmetric` where all zeros are the middle.
[[nodiscard]] QuantizedMatrix simplified(QuantizedMatrix matrix);

/// What a configuration with one entry for all linears says.
struct UniformGrid {
  int num_bits = 0;
  int64_t group_size = -1;  ///< columns per group; -1: whole rows
  bool symmetric = true;    ///< of all linears
  bool actorder = false;    ///< of any
  at::ScalarType scale_dtype = at::kHalf;
};
/// Throws Error{bad_input} when linears differ in bits or groups, or are not on a grid.
[[nodiscard]] UniformGrid uniform_grid(const QuantizedWeights& weights, const std::string& format);

}  // namespace lowbit::lm::formats
