// compressed-tensors, the format of llm-compressor, which vLLM and transformers read. Codes are signed there: ours
// minus 2^(b-1). Per linear, with n = in, m = out, G groups:
//   pack-quantized (4 and 8 bits):
//     weight_packed int32 [m, ceil(n b / 32)]  code + 2^(b-1), least significant first, zeros at the end of a row
//     weight_scale [m, G]   weight_shape int64 [2] = m, n
//     weight_zero_point int32 [ceil(m b / 32), G], packed downwards, where the grid is asymmetric
//     weight_g_idx int32 [n], where columns are grouped by an index: read only, versions from 0.20 on refuse it
//   int-quantized (8 bits, symmetric, a scale a row; activations rounded token by token as the model runs):
//     weight int8 [m, n]    weight_scale [m, 1]
// Thread rule: free functions without state.
#pragma once

#include "lm/activations.h"
#include "lm/formats/words.h"

namespace lowbit::lm::formats {

/// Throws Error{bad_input} for what the format cannot hold: widths other than 4 and 8, a last group that is shorter,
/// a group index.
[[nodiscard]] NamedTensors to_pack_quantized(const std::string& module, const QuantizedMatrix& matrix);
/// `group_size`: of the configuration; -1: a row.
[[nodiscard]] QuantizedMatrix from_pack_quantized(const std::string& module, const WeightSource& stored, int num_bits,
                                                  int64_t group_size);

/// Throws Error{bad_input} unless codes have 8 bits, are symmetric and a row is a group.
[[nodiscard]] NamedTensors to_int_quantized(const std::string& module, const QuantizedMatrix& matrix);
[[nodiscard]] QuantizedMatrix from_int_quantized(const std::string& module, const WeightSource& stored);

/// Whether int-quantized says all of the rules: inputs of linears to 8 bits, symmetric, each token its own range.
[[nodiscard]] bool is_dynamic_per_token(const ActivationRules& rules);

/// `int_quantized`: with activations rounded token by token; else pack-quantized. `ignore`: modules that stay as they
/// are.
[[nodiscard]] nlohmann::json compressed_tensors_config(const UniformGrid& grid, bool int_quantized,
                                                       const std::vector<std::string>& ignore);

}  // namespace lowbit::lm::formats
