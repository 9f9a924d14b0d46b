#include "lm/fold.h"

#include "lm/fused.h"

namespace lowbit::lm {

bool can_fold(const ModelConfig& config, Linear group, bool tied) {
  if (group == Linear::o) return tied || config.n_heads == config.n_kv_heads;
  return group == Linear::down || config.norm_first;
}

int64_t fold_width(const ModelConfig& config, Linear group) {
  return group == Linear::o ? config.n_kv_heads * config.head_dim : linear_shape(config, group).back();
}

at::Tensor fold_columns(const ModelConfig& config, Linear group, const at::Tensor& s) {
  if (group != Linear::o) return s;
  return s.view({config.n_kv_heads, 1, config.head_dim})
      .expand({config.n_kv_heads, config.n_heads / config.n_kv_heads, config.head_dim})
      .reshape({-1});
}

at::Tensor fold_means(const ModelConfig& config, Linear group, const at::Tensor& per_input) {
  if (group != Linear::o) return per_input;
  return per_input.view({config.n_kv_heads, config.n_heads / config.n_kv_heads, config.head_dim}).mean(1).reshape({-1});
}

void fold(const ModelConfig& config, BlockWeights& w, Linear group, const at::Tensor& s) {
  TORCH_CHECK(s.numel() == fold_width(config, group), "fold: a scale for each input of the group");
  const auto divide = [&](at::Tensor& tensor) {  // [n] or [n, k]
    if (tensor.defined()) tensor = tensor.to(wide(tensor.scalar_type())) / (tensor.dim() == 1 ? s : s.unsqueeze(1));
  };
  if (group == Linear::o || group == Linear::down) {
    const Linear producer = group == Linear::o ? Linear::v : Linear::up;
    divide(w[producer]);
    divide(w.bias(producer));
  } else {
    Norm& norm = group == Linear::q ? w.attention_norm : w.mlp_norm;
    divide(norm.weight);
    divide(norm.bias);
  }
  const at::Tensor columns = fold_columns(config, group, s);
  for (const Linear linear : linears(config)) {
    if (input_group(config, linear) == group) w[linear] = w[linear].to(wide(w[linear].scalar_type())) * columns;
  }
}

NamedTensors folded_vectors(const ModelConfig& config, int64_t block, const BlockWeights& before,
                            const BlockWeights& after) {
  NamedTensors changed;
  const auto compare = [&](const std::string& name, const at::Tensor& old_vector, const at::Tensor& new_vector) {
    if (new_vector.defined() && !new_vector.is_same(old_vector)) {
      changed[name] = new_vector.to(at::kFloat).contiguous();
    }
  };
  const auto compare_norms = [&](const NormNames& names, const Norm& old_norm, const Norm& new_norm) {
    compare(names.weight, old_norm.weight, new_norm.weight);
    compare(names.bias, old_norm.bias, new_norm.bias);
  };
  compare_norms(attention_norm_names(config, block), before.attention_norm, after.attention_norm);
  compare_norms(mlp_norm_names(config, block), before.mlp_norm, after.mlp_norm);
  for (const Linear linear : linears(config)) {
    compare(bias_name(config, block, linear), before.bias(linear), after.bias(linear));
  }
  return changed;
}

}  // namespace lowbit::lm
