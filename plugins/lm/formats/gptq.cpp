#include "lm/formats/gptq.h"

namespace lowbit::lm::formats {
namespace {

std::string gptq_name(GptqVersion version) { return version == GptqVersion::v1 ? "gptq" : "gptq-v2"; }

}  // namespace

NamedTensors to_gptq(const std::string& module, const QuantizedMatrix& matrix, GptqVersion version) {
  const std::string format = gptq_name(version);
  const int b = matrix.num_bits;
  if (b != 2 && b != 3 && b != 4 && b != 8) {
    cannot_hold(format, module, "its codes have " + std::to_string(b) + " bits, the format has 2, 3, 4 and 8",
                "quantize to one of these widths, or export to hf");
  }
  const int64_t m = matrix.codes.size(0);
  const int64_t n = matrix.codes.size(1);
  for (const auto& [size, what] : {std::pair{n, "in_features"}, std::pair{m, "out_features"}}) {
    if (size * b % 32 != 0) {
      cannot_hold(format, module,
                  std::string(what) + " is " + std::to_string(size) + ": codes of " + std::to_string(b) +
                      " bits do not fill whole 32-bit words",
                  "export to compressed-tensors, which pads, or to hf");
    }
  }
  at::Tensor zero = matrix.zero;
  if (version == GptqVersion::v1) {
    if (!matrix.symmetric) {
      cannot_hold(format, module, "version 1 stores zero points minus 1, and an asymmetric grid may have 0",
                  "export to gptq-v2");
    }
    zero = zero - 1;
  }
  at::Tensor index = matrix.group_index;
  if (!index.defined()) index = at::arange(n, at::kInt).div(matrix.group_width, "floor").to(at::kInt);
  return {{module + ".qweight", to_words(matrix.codes, b).t().contiguous()},
          {module + ".qzeros", to_words(zero.t(), b)},
          {module + ".scales", half_scales(matrix.scale, format, module).t().contiguous()},
          {module + ".g_idx", index.to(at::kInt)}};
}

QuantizedMatrix from_gptq(const std::string& module, const WeightSource& stored, int num_bits, int64_t group_size,
                          GptqVersion version) {
  const at::Tensor words = stored.tensor(module + ".qweight");
  if (words.dim() != 2 || words.scalar_type() != at::kInt || words.size(0) * 32 % num_bits != 0) {
    malformed_format(module + ".qweight",
                     "it is not a matrix of int32 words of " + std::to_string(num_bits) + "-bit codes");
  }
  const int64_t n = words.size(0) * 32 / num_bits;
  const int64_t m = words.size(1);
  const int64_t width = group_size == -1 || group_size > n ? n : group_size;
  const int64_t n_groups = (n + width - 1) / width;
  QuantizedMatrix matrix{
      .num_bits = num_bits,
      .codes = from_words(words.t(), num_bits, n),
      .scale = expect_tensor(stored, module + ".scales", {n_groups, m}, at::kHalf).t().contiguous(),
      .zero =
          from_words(expect_tensor(stored, module + ".qzeros", {n_groups, m * num_bits / 32}, at::kInt), num_bits, m)
              .t()
              .contiguous(),
      .group_index = {},
      .group_width = width};
  if (version == GptqVersion::v1) {
    if (matrix.zero.max().item<int>() == (1 << num_bits) - 1) {
      malformed_format(module + ".qzeros",
                       "a zero point is " + std::to_string(1 << num_bits) +
                           " in version 1, one beyond the codes: an asymmetric grid was written in the wrong version");
    }
    matrix.zero = matrix.zero + 1;
  }
  if (stored.contains(module + ".g_idx")) {
    matrix.group_index = expect_tensor(stored, module + ".g_idx", {n}, at::kInt).contiguous();
    if (matrix.group_index.min().item<int>() < 0 || matrix.group_index.max().item<int>() >= n_groups) {
      malformed_format(module + ".g_idx", "it names a group that does not exist");
    }
  }
  return simplified(std::move(matrix));
}

nlohmann::json gptq_config(const UniformGrid& grid, GptqVersion version) {
  return {{"quant_method", "gptq"},
          {"bits", grid.num_bits},
          {"group_size", grid.group_size},
          {"desc_act", grid.actorder},
          {"sym", grid.symmetric},
          {"checkpoint_format", version == GptqVersion::v1 ? "gptq" : "gptq_v2"},
          {"lm_head", false},
          {"pack_dtype", "int32"},
          {"meta", {{"quantizer", {"lowbit"}}}}};
}

}  // namespace lowbit::lm::formats
