#include "lm/formats/bitsandbytes.h"

#include <cstring>

#include "lm/json_file.h"
#include "lm/packing.h"

namespace lowbit::lm::formats {
namespace {

using Json = nlohmann::json;

constexpr uint8_t kCodeOfZero = 7;
const std::string kState = ".weight.quant_state.bitsandbytes__nf4";

template <size_t N>
at::Tensor as_tensor(const std::array<float, N>& map) {
  return at::tensor(at::ArrayRef<float>(map.data(), N), at::kFloat);
}

/// Exchanges the two halves of each byte.
at::Tensor swap_nibbles(const at::Tensor& packed) {
  at::Tensor swapped = packed.contiguous().clone();
  auto* const bytes = swapped.data_ptr<uint8_t>();
  for (int64_t i = 0; i < swapped.numel(); ++i) bytes[i] = static_cast<uint8_t>(bytes[i] << 4U | bytes[i] >> 4U);
  return swapped;
}

}  // namespace

NamedTensors to_bitsandbytes(const std::string& module, const Nf4Matrix& matrix, at::ScalarType dtype) {
  at::Tensor codes = matrix.codes.reshape({1, -1});
  if (codes.size(1) % 2 != 0) codes = at::constant_pad_nd(codes, {0, 1}, kCodeOfZero);
  Json state{{"quant_type", "nf4"},
             {"blocksize", matrix.block_size},
             {"dtype", torch_name(dtype)},
             {"shape", {matrix.codes.size(0), matrix.codes.size(1)}}};
  NamedTensors tensors{{module + ".weight", swap_nibbles(pack(codes, 4)).view({-1, 1})},
                       {module + ".weight.absmax", matrix.absmax},
                       {module + ".weight.quant_map", as_tensor(nf4_codebook())}};
  if (matrix.double_quant()) {
    tensors[module + ".weight.nested_absmax"] = matrix.nested_absmax;
    tensors[module + ".weight.nested_quant_map"] = as_tensor(dynamic_map());
    state["nested_blocksize"] = kNestedBlock;
    state["nested_dtype"] = "float32";
    state["nested_offset"] = static_cast<double>(matrix.offset.item<float>());
  }
  const std::string text = state.dump();
  at::Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
  std::memcpy(bytes.data_ptr<uint8_t>(), text.data(), text.size());
  tensors[module + kState] = bytes;
  return tensors;
}

Nf4Matrix from_bitsandbytes(const std::string& module, const WeightSource& stored) {
  const std::string where = module + kState;
  const at::Tensor bytes = stored.tensor(where).contiguous();
  Nf4Matrix matrix;
  try {
    const Json state = parse_json({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()});
    const auto shape = state.at("shape").get<std::vector<int64_t>>();
    if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) malformed_format(where, "shape is not that of a matrix");
    matrix.block_size = state.at("blocksize").get<int64_t>();
    if (matrix.block_size < 1) malformed_format(where, "blocksize is not positive");
    const int64_t n = shape[0] * shape[1];
    const int64_t n_blocks = (n + matrix.block_size - 1) / matrix.block_size;
    const bool nested = state.contains("nested_offset");
    const at::Tensor weight = stored.tensor(module + ".weight");
    if (weight.scalar_type() != at::kByte || weight.numel() != (n + 1) / 2) {
      malformed_format(module + ".weight",
                       "it does not hold half a byte for each of " + std::to_string(n) + " weights");
    }
    matrix.codes = unpack(swap_nibbles(weight).view({1, -1}), 4, n).view({shape[0], shape[1]});
    matrix.absmax = expect_tensor(stored, module + ".weight.absmax", {n_blocks}, nested ? at::kByte : at::kFloat);
    if (!at::equal(stored.tensor(module + ".weight.quant_map"), as_tensor(nf4_codebook()))) {
      malformed_format(module + ".weight.quant_map", "it does not hold the values of NF4");
    }
    if (nested) {
      if (state.at("nested_blocksize").get<int64_t>() != kNestedBlock) {
        malformed_format(where, "nested_blocksize is not " + std::to_string(kNestedBlock));
      }
      if (!at::equal(stored.tensor(module + ".weight.nested_quant_map"), as_tensor(dynamic_map()))) {
        malformed_format(module + ".weight.nested_quant_map", "it does not hold the signed dynamic map");
      }
      matrix.nested_absmax = expect_tensor(stored, module + ".weight.nested_absmax",
                                           {(n_blocks + kNestedBlock - 1) / kNestedBlock}, at::kFloat);
      matrix.offset = at::full({1}, state.at("nested_offset").get<double>(), at::kFloat);
    }
  } catch (const Json::exception& e) {
    malformed_format(where, e.what());
  } catch (const JsonProblem& e) {
    malformed_format(where, e.what());
  }
  return matrix;
}

Json bitsandbytes_config(bool double_quant, at::ScalarType dtype, const std::vector<std::string>& ignore) {
  return {{"quant_method", "bitsandbytes"},
          {"load_in_4bit", true},
          {"load_in_8bit", false},
          {"bnb_4bit_quant_type", "nf4"},
          {"bnb_4bit_use_double_quant", double_quant},
          {"bnb_4bit_compute_dtype", torch_name(dtype)},
          {"bnb_4bit_quant_storage", "uint8"},
          {"llm_int8_skip_modules", ignore}};
}

}  // namespace lowbit::lm::formats
