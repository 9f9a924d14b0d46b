// Gradient checkpointing (Chen et al. 2016): a part of a model whose intermediate results are not kept for the backward
// pass but computed again from the part's input.
#pragma once

#include <functional>

#include "lm/safetensors.h"

namespace lowbit::lm::train {

/// A part of a model as a function of its input and of what is trained in it. Called twice, with equal values: it must
/// give the same bits both times. Kept until the backward pass is over; what it refers to must live as long.
using Part = std::function<at::Tensor(const at::Tensor& x, const NamedTensors& leaves)>;

/// part(x, leaves); of its graph only x and the leaves are kept where gradients are asked for. Gradients flow to x and
/// to the leaves and are the same to the bit. Not twice differentiable.
[[nodiscard]] at::Tensor checkpointed(const Part& part, const at::Tensor& x, const NamedTensors& leaves);

}  // namespace lowbit::lm::train
