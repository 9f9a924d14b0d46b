// GPTQ over a whole model: one block in memory at a time.
#pragma once

#include <functional>
#include <map>

#include "lm/calibration.h"
#include "lm/gptq.h"

namespace lowbit::gptq {

struct QuantizedLinear {
  lm::Linear linear;
  lm::GptqResult result;
  at::Tensor original;  // [m, n]
};
using Done = std::function<void(const QuantizedLinear&)>;

/// Quantizes the linears of a block in order and passes the calibration windows on to the next block, through the
/// quantized one. `w`: what the block computes with, whose linears become their rounded values; `stored`: the same
/// block in fp32, which is what is quantized. `done` is called for each linear. `block`: for messages. Throws lm::Error
/// naming block and linear.
///
/// `true_sequential`: each linear is calibrated on inputs that have passed through all the quantized linears before it;
/// otherwise all of a block on inputs of the block as it was.
void quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, const lm::BlockWeights& stored, int64_t block,
                    lm::Calibration& calibration, const lm::GptqOptions& options, bool true_sequential,
                    const Done& done);

/// The same with second moments that are known; nothing is passed on.
void quantize_block(const lm::ModelConfig& config, const lm::BlockWeights& stored, int64_t block,
                    const std::function<at::Tensor(lm::Linear group)>& moments, const lm::GptqOptions& options,
                    const Done& done);

}  // namespace lowbit::gptq
