#include "lm/formats/compressed_tensors.h"

namespace lowbit::lm::formats {
namespace {

using Json = nlohmann::json;

constexpr const char* kCompressed = "compressed-tensors";

at::Tensor scale_of(const WeightSource& stored, const std::string& module, at::IntArrayRef shape) {
  at::Tensor scale = stored.tensor(module + ".weight_scale");
  if (scale.sizes() != shape || !scale.is_floating_point()) {
    malformed_format(module + ".weight_scale", "it does not have the shape of its layer's groups");
  }
  return scale;
}

}  // namespace

NamedTensors to_pack_quantized(const std::string& module, const QuantizedMatrix& matrix) {
  const int b = matrix.num_bits;
  const int64_t m = matrix.codes.size(0);
  const int64_t n = matrix.codes.size(1);
  if (b != 4 && b != 8) {
    cannot_hold(kCompressed, module,
                "its codes have " + std::to_string(b) + " bits, which readers of the format unpack in different ways",
                b == 3 || b == 2 ? "quantize to 4 or 8 bits, or export to gptq-v2" : "quantize to 4 or 8 bits");
  }
  if (n % matrix.group_width != 0) {
    cannot_hold(
        kCompressed, module,
        "in_features " + std::to_string(n) + " is not a multiple of group_size " + std::to_string(matrix.group_width),
        "quantize with a group_size that divides it, or export to gptq-v2");
  }
  if (matrix.group_index.defined()) {
    cannot_hold(kCompressed, module, "its columns are grouped by an index, which compressed-tensors reads no longer",
                "quantize with actorder none or static, or export to gptq");
  }
  NamedTensors tensors{{module + ".weight_packed", to_words(matrix.codes, b)},
                       {module + ".weight_scale", matrix.scale},
                       {module + ".weight_shape", at::tensor({m, n}, at::kLong)}};
  if (!matrix.symmetric) tensors[module + ".weight_zero_point"] = to_words(matrix.zero.t(), b).t().contiguous();
  return tensors;
}

QuantizedMatrix from_pack_quantized(const std::string& module, const WeightSource& stored, int num_bits,
                                    int64_t group_size) {
  const at::Tensor shape = stored.tensor(module + ".weight_shape").to(at::kLong);
  if (shape.numel() != 2) malformed_format(module + ".weight_shape", "it does not hold two numbers");
  const auto m = shape[0].item<int64_t>();
  const auto n = shape[1].item<int64_t>();
  const int64_t width = group_size == -1 || group_size > n ? n : group_size;
  const int64_t n_groups = (n + width - 1) / width;
  const at::Tensor words = expect_tensor(stored, module + ".weight_packed", {m, (n * num_bits + 31) / 32}, at::kInt);
  QuantizedMatrix matrix{.num_bits = num_bits,
                         .codes = from_words(words, num_bits, n),
                         .scale = scale_of(stored, module, {m, n_groups}),
                         .zero = at::full({m, n_groups}, 1 << (num_bits - 1), at::kByte),
                         .group_index = {},
                         .group_width = width};
  if (stored.contains(module + ".weight_zero_point")) {
    const at::Tensor zeros =
        expect_tensor(stored, module + ".weight_zero_point", {(m * num_bits + 31) / 32, n_groups}, at::kInt);
    matrix.zero = from_words(zeros.t(), num_bits, m).t().contiguous();
  }
  if (stored.contains(module + ".weight_g_idx")) {
    matrix.group_index = expect_tensor(stored, module + ".weight_g_idx", {n}, at::kInt).contiguous();
    if (matrix.group_index.min().item<int>() < 0 || matrix.group_index.max().item<int>() >= n_groups) {
      malformed_format(module + ".weight_g_idx", "it names a group that does not exist");
    }
  }
  return simplified(std::move(matrix));
}

NamedTensors to_int_quantized(const std::string& module, const QuantizedMatrix& matrix) {
  if (matrix.num_bits != 8 || !matrix.symmetric || matrix.group_width != matrix.codes.size(1)) {
    cannot_hold(kCompressed, module,
                "activations are rounded, which needs weights of 8 bits, symmetric, one scale a row",
                "quantize with num_bits 8, symmetric true, group_size -1, or without rounding activations");
  }
  return {{module + ".weight", (matrix.codes.to(at::kShort) - 128).to(at::kChar)},
          {module + ".weight_scale", matrix.scale}};
}

QuantizedMatrix from_int_quantized(const std::string& module, const WeightSource& stored) {
  const at::Tensor weight = stored.tensor(module + ".weight");
  if (weight.dim() != 2 || weight.scalar_type() != at::kChar) {
    malformed_format(module + ".weight", "it is not an int8 matrix");
  }
  const int64_t m = weight.size(0);
  return {.num_bits = 8,
          .symmetric = true,
          .codes = (weight.to(at::kShort) + 128).to(at::kByte),
          .scale = scale_of(stored, module, {m, 1}),
          .zero = at::full({m, 1}, 128, at::kByte),
          .group_index = {},
          .group_width = weight.size(1)};
}

bool is_dynamic_per_token(const ActivationRules& rules) {
  return rules.inputs && rules.inputs->num_bits == 8 && rules.inputs->symmetric &&
         rules.inputs->strategy == ActivationGrid::Strategy::token && !rules.outlier_threshold && !rules.qkv_outputs &&
         !rules.kv_cache;
}

Json compressed_tensors_config(const UniformGrid& grid, bool int_quantized, const std::vector<std::string>& ignore) {
  const bool grouped = grid.group_size != -1;
  const Json weights{{"num_bits", grid.num_bits},
                     {"type", "int"},
                     {"symmetric", grid.symmetric},
                     {"strategy", grouped ? "group" : "channel"},
                     {"group_size", grouped ? Json(grid.group_size) : Json()},
                     {"actorder", Json()},
                     {"dynamic", false},
                     {"observer", "minmax"}};
  const Json inputs{{"num_bits", 8},       {"type", "int"},   {"symmetric", true},
                    {"strategy", "token"}, {"dynamic", true}, {"observer", nullptr}};
  const std::string format = int_quantized ? "int-quantized" : "pack-quantized";
  return {{"quant_method", "compressed-tensors"},
          {"format", format},
          {"quantization_status", "compressed"},
          {"ignore", ignore},
          {"kv_cache_scheme", nullptr},
          {"config_groups",
           {{"group_0",
             {{"targets", {"Linear"}},
              {"format", format},
              {"weights", weights},
              {"input_activations", int_quantized ? inputs : Json()},
              {"output_activations", nullptr}}}}}};
}

}  // namespace lowbit::lm::formats
