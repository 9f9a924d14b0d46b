// Which tensors a model of some configuration has: their Hugging Face names and shapes, family by family.
// Letters as in lm/block.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lm/config.h"

namespace lowbit::lm {

/// The matrices of a block, in the order they are applied. OPT has no gate; its fc1 and fc2 are up and down.
enum class Linear { q, k, v, o, gate, up, down };
/// Those that a block of this model has.
[[nodiscard]] const std::vector<Linear>& linears(const ModelConfig& config);
/// The first of the linears that read the same input: {q, k, v}, {o}, {gate, up}, {down}.
[[nodiscard]] Linear input_group(const ModelConfig& config, Linear linear);
[[nodiscard]] bool has_bias(const ModelConfig& config, Linear linear);

/// "model.layers.3.self_attn.q_proj.weight"
[[nodiscard]] std::string linear_name(const ModelConfig& config, int64_t block, Linear linear);
[[nodiscard]] std::string bias_name(const ModelConfig& config, int64_t block, Linear linear);
/// "q_proj", as adapters name their targets
[[nodiscard]] std::string module_name(const ModelConfig& config, Linear linear);
/// [out, in]
[[nodiscard]] std::vector<int64_t> linear_shape(const ModelConfig& config, Linear linear);

struct NormNames {
  std::string weight, bias;  // bias empty: none
};
[[nodiscard]] NormNames attention_norm_names(const ModelConfig& config, int64_t block);
[[nodiscard]] NormNames mlp_norm_names(const ModelConfig& config, int64_t block);

/// What stands before the first block and after the last; empty: the model has no such tensor.
struct OuterNames {
  std::string embedding, positions, project_in, project_out, head;
  NormNames final_norm;
};
[[nodiscard]] OuterNames outer_names(const ModelConfig& config);

/// "model.layers.0.mlp.up_proj.weight" -> "model.layers.0.mlp.up_proj"
[[nodiscard]] std::string module_of(const std::string& weight_name);

/// All tensors of a block but the weights of its linears: norms and biases.
[[nodiscard]] std::vector<std::string> vector_names(const ModelConfig& config, int64_t block);
/// All names of outer_names() that are not empty; the output matrix only when it is not the embedding.
[[nodiscard]] std::vector<std::string> outer_tensors(const ModelConfig& config);

}  // namespace lowbit::lm
