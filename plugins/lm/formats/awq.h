// AWQ's checkpoints in version `gemm`, as AutoAWQ defined them and vLLM reads them: 4 bits, always with zero points.
// Per linear, with n = in, m = out, G groups:
//   qweight int32 [n, m / 8]   nibble i of word c holds output column 8 c + order[i], order = 0 2 4 6 1 3 5 7
//   qzeros  int32 [G, m / 8]   zero points as they are, in the same order
//   scales  fp16  [G, m]
// Thread rule: free functions without state.
#pragma once

#include "lm/formats/words.h"

namespace lowbit::lm::formats {

/// Throws Error{bad_input} for what the format cannot hold: widths other than 4, a group index, a last group that is
/// shorter, out_features that fill no whole words, scales beyond fp16.
[[nodiscard]] NamedTensors to_awq(const std::string& module, const QuantizedMatrix& matrix);
/// `group_size`: of the configuration; -1: a row. Throws Error{bad_input} for tensors that contradict each other.
[[nodiscard]] QuantizedMatrix from_awq(const std::string& module, const WeightSource& stored, int64_t group_size);
[[nodiscard]] nlohmann::json awq_config(const UniformGrid& grid);

}  // namespace lowbit::lm::formats
