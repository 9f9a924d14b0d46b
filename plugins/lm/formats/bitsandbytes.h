// bitsandbytes' NF4, as transformers and PEFT read it. Per linear of N = m n weights:
//   weight uint8 [ceil(N / 2), 1]      codes of the flattened matrix, the even one in the high half of a byte; an odd
//                                      last one beside the code of 0
//   weight.absmax                      as lm::Nf4Matrix has it, and with double quantization
//   weight.nested_absmax, weight.nested_quant_map fp32 [256]
//   weight.quant_map fp32 [16]
//   weight.quant_state.bitsandbytes__nf4 uint8: a JSON text: sizes, the dtype of the weights, the mean of the scales
// Thread rule: free functions without state.
#pragma once

#include "lm/formats/words.h"

namespace lowbit::lm::formats {

/// `dtype`: what a loader turns the weights into: kFloat, kHalf or kBFloat16.
[[nodiscard]] NamedTensors to_bitsandbytes(const std::string& module, const Nf4Matrix& matrix, at::ScalarType dtype);
/// Throws Error{bad_input} for tensors that contradict each other, and for other maps than NF4's.
[[nodiscard]] Nf4Matrix from_bitsandbytes(const std::string& module, const WeightSource& stored);
[[nodiscard]] nlohmann::json bitsandbytes_config(bool double_quant, at::ScalarType dtype,
                                                 const std::vector<std::string>& ignore);

}  // namespace lowbit::lm::formats
