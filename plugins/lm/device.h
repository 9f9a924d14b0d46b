// Where numbers are computed: the processor, or one GPU. A model is put somewhere once (lm/model.h); everything after
// takes the device of what it is given. Weights stay mapped in main memory and are copied block by block, and what is
// written to files comes back by itself.
#pragma once

#include <string>

#include "lm/torch.h"

namespace lowbit::lm {

/// "cpu", or "cuda": the first GPU that the process sees. With "cuda", fp32 products are taken in fp32 from then on (no
/// TF32), and bf16 products are summed in fp32. Throws Error{bad_param} when this libtorch is built without CUDA,
/// Error{resource} when no GPU is visible.
[[nodiscard]] at::Device device_named(const std::string& name);

/// `tensor` there; undefined stays undefined.
[[nodiscard]] inline at::Tensor on(const at::Device& device, const at::Tensor& tensor) {
  return tensor.defined() ? tensor.to(device) : tensor;
}

}  // namespace lowbit::lm
