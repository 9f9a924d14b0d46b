// GPTQ's checkpoints, as AutoGPTQ defined them and GPTQModel, transformers and vLLM read them. Per linear, with n = in,
// m = out, b bits, G groups:
//   qweight int32 [n b / 32, m]  codes of a column of the output below each other, least significant first
//   qzeros  int32 [G, m b / 32]  zeros of a group beside each other; version 1 stores z - 1, version 2 stores z
//   scales  fp16  [G, m]         g_idx int32 [n]: group of each input column
// Version 1 cannot store z = 0, which an asymmetric grid has: it is written for symmetric grids only.
// Thread rule: free functions without state.
#pragma once

#include "lm/formats/words.h"

namespace lowbit::lm::formats {

enum class GptqVersion { v1 = 1, v2 = 2 };

/// Tensors by full name: `module`.qweight, ... Throws Error{bad_input} for what the format cannot hold: widths other
/// than 2, 3, 4 and 8, asymmetric grids in version 1, sizes that fill no whole words, scales beyond fp16.
[[nodiscard]] NamedTensors to_gptq(const std::string& module, const QuantizedMatrix& matrix, GptqVersion version);

/// `group_size`: of the configuration; -1: a row. Throws Error{bad_input} for tensors that contradict each other.
[[nodiscard]] QuantizedMatrix from_gptq(const std::string& module, const WeightSource& stored, int num_bits,
                                        int64_t group_size, GptqVersion version);

/// config.json's quantization_config, which is quantize_config.json too.
[[nodiscard]] nlohmann::json gptq_config(const UniformGrid& grid, GptqVersion version);

}  // namespace lowbit::lm::formats
