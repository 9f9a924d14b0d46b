// GPTQ over a whole model: one block in memory at a time, each linear calibrated on inputs that have passed through all
// the quantized linears before it (the reference's --true-sequential).
#pragma once

#include <functional>

#include "lm/calibration.h"
#include "lm/gptq.h"

namespace lowbit::gptq {

struct QuantizedLinear {
  lm::Linear linear;
  lm::GptqResult result;
  at::Tensor original;  // [m, n]
};

/// Quantizes the linears of a block in order and passes the calibration windows on to the next block. `done` is
/// called for each. `block`: for messages. Throws lm::Error naming block and linear.
void quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, int64_t block, lm::Calibration& calibration,
                    const lm::GptqOptions& options, const std::function<void(QuantizedLinear)>& done);

}  // namespace lowbit::gptq
