#include "lm/formats/awq.h"

namespace lowbit::lm::formats {
namespace {

constexpr int kAwqBits = 4;
constexpr const char* kAwq = "awq";

/// Neighbouring columns of x [.., m] as the words hold them, or back. m is a multiple of 8.
at::Tensor reorder(const at::Tensor& x, bool back) {
  const at::Tensor order =
      back ? at::tensor({0, 4, 1, 5, 2, 6, 3, 7}, at::kLong) : at::tensor({0, 2, 4, 6, 1, 3, 5, 7}, at::kLong);
  return x.reshape({x.size(0), -1, 8}).index_select(2, order).reshape(x.sizes());
}

}  // namespace

NamedTensors to_awq(const std::string& module, const QuantizedMatrix& matrix) {
  const int64_t m = matrix.codes.size(0);
  const int64_t n = matrix.codes.size(1);
  if (matrix.num_bits != kAwqBits) {
    cannot_hold(kAwq, module, "its codes have " + std::to_string(matrix.num_bits) + " bits, the format has 4",
                "quantize to 4 bits, or export to gptq-v2, compressed-tensors or hf");
  }
  if (matrix.group_index.defined()) {
    cannot_hold(kAwq, module, "its columns are grouped by an index, for which the format has no tensor",
                "quantize with actorder none or static, or export to gptq-v2");
  }
  if (n % matrix.group_width != 0) {
    cannot_hold(
        kAwq, module,
        "in_features " + std::to_string(n) + " is not a multiple of group_size " + std::to_string(matrix.group_width),
        "quantize with a group_size that divides it, or export to gptq-v2");
  }
  if (m % 8 != 0) {
    cannot_hold(kAwq, module, "out_features is " + std::to_string(m) + ", words hold 8 columns",
                "export to compressed-tensors, which pads, or to hf");
  }
  return {{module + ".qweight", to_words(reorder(matrix.codes.t(), false), kAwqBits)},
          {module + ".qzeros", to_words(reorder(matrix.zero.t(), false), kAwqBits)},
          {module + ".scales", half_scales(matrix.scale, kAwq, module).t().contiguous()}};
}

QuantizedMatrix from_awq(const std::string& module, const WeightSource& stored, int64_t group_size) {
  const at::Tensor words = stored.tensor(module + ".qweight");
  if (words.dim() != 2 || words.scalar_type() != at::kInt) {
    malformed_format(module + ".qweight", "it is not a matrix of int32 words");
  }
  const int64_t n = words.size(0);
  const int64_t m = words.size(1) * 8;
  const int64_t width = group_size == -1 || group_size > n ? n : group_size;
  const int64_t n_groups = (n + width - 1) / width;
  const at::Tensor zeros = expect_tensor(stored, module + ".qzeros", {n_groups, m / 8}, at::kInt);
  return simplified({.num_bits = kAwqBits,
                     .codes = reorder(from_words(words, kAwqBits, m), true).t().contiguous(),
                     .scale = expect_tensor(stored, module + ".scales", {n_groups, m}, at::kHalf).t().contiguous(),
                     .zero = reorder(from_words(zeros, kAwqBits, m), true).t().contiguous(),
                     .group_index = {},
                     .group_width = width});
}

nlohmann::json awq_config(const UniformGrid& grid) {
  return {{"quant_method", "awq"}, {"bits", grid.num_bits}, {"group_size", grid.group_size},
          {"zero_point", true},    {"version", "gemm"},     {"modules_to_not_convert", {"lm_head"}}};
}

}  // namespace lowbit::lm::formats
