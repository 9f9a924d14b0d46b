#include "lm/tensor_names.h"

#include <string_view>

namespace lowbit::lm {
namespace {

std::string stem(const ModelConfig& config) { return config.family == Family::opt ? "model.decoder." : "model."; }

std::string block_stem(const ModelConfig& config, int64_t block) {
  return stem(config) + "layers." + std::to_string(block) + ".";
}

/// Within a block, without ".weight".
const char* path_of(const ModelConfig& config, Linear linear) {
  const bool opt = config.family == Family::opt;
  switch (linear) {
    case Linear::q: return "self_attn.q_proj";
    case Linear::k: return "self_attn.k_proj";
    case Linear::v: return "self_attn.v_proj";
    case Linear::o: return opt ? "self_attn.out_proj" : "self_attn.o_proj";
    case Linear::gate: return "mlp.gate_proj";
    case Linear::up: return opt ? "fc1" : "mlp.up_proj";
    case Linear::down: return opt ? "fc2" : "mlp.down_proj";
  }
  return "";
}

NormNames norm_names(const ModelConfig& config, const std::string& module) {
  return {module + ".weight", config.norm == ModelConfig::Norm::layer ? module + ".bias" : ""};
}

}  // namespace

const std::vector<Linear>& linears(const ModelConfig& config) {
  static const std::vector<Linear> kGated{Linear::q,    Linear::k,  Linear::v,   Linear::o,
                                          Linear::gate, Linear::up, Linear::down};
  static const std::vector<Linear> kPlain{Linear::q, Linear::k, Linear::v, Linear::o, Linear::up, Linear::down};
  return config.mlp == ModelConfig::Mlp::swiglu ? kGated : kPlain;
}

Linear input_group(const ModelConfig& config, Linear linear) {
  switch (linear) {
    case Linear::q:
    case Linear::k:
    case Linear::v: return Linear::q;
    case Linear::gate:
    case Linear::up: return config.mlp == ModelConfig::Mlp::swiglu ? Linear::gate : Linear::up;
    case Linear::o:
    case Linear::down: break;
  }
  return linear;
}

bool has_bias(const ModelConfig& config, Linear linear) {
  switch (linear) {
    case Linear::q:
    case Linear::k:
    case Linear::v: return config.qkv_bias;
    case Linear::o: return config.o_bias;
    case Linear::gate:
    case Linear::up:
    case Linear::down: break;
  }
  return config.mlp_bias;
}

std::string linear_name(const ModelConfig& config, int64_t block, Linear linear) {
  return block_stem(config, block) + path_of(config, linear) + ".weight";
}

std::string bias_name(const ModelConfig& config, int64_t block, Linear linear) {
  return block_stem(config, block) + path_of(config, linear) + ".bias";
}

std::string module_name(const ModelConfig& config, Linear linear) {
  const std::string path = path_of(config, linear);
  return path.substr(path.rfind('.') + 1);  // npos + 1 is 0
}

std::vector<int64_t> linear_shape(const ModelConfig& c, Linear linear) {
  const int64_t q_size = c.n_heads * c.head_dim;
  const int64_t kv_size = c.n_kv_heads * c.head_dim;
  switch (linear) {
    case Linear::q: return {q_size, c.hidden_size};
    case Linear::k:
    case Linear::v: return {kv_size, c.hidden_size};
    case Linear::o: return {c.hidden_size, q_size};
    case Linear::gate:
    case Linear::up: return {c.intermediate_size, c.hidden_size};
    case Linear::down: return {c.hidden_size, c.intermediate_size};
  }
  return {};
}

NormNames attention_norm_names(const ModelConfig& config, int64_t block) {
  return norm_names(
      config, block_stem(config, block) + (config.family == Family::opt ? "self_attn_layer_norm" : "input_layernorm"));
}

NormNames mlp_norm_names(const ModelConfig& config, int64_t block) {
  return norm_names(config, block_stem(config, block) +
                                (config.family == Family::opt ? "final_layer_norm" : "post_attention_layernorm"));
}

OuterNames outer_names(const ModelConfig& config) {
  const std::string at = stem(config);
  OuterNames names{.embedding = at + "embed_tokens.weight", .head = "lm_head.weight"};
  if (config.position == ModelConfig::Position::learned) names.positions = at + "embed_positions.weight";
  if (config.embedding_size != config.hidden_size) {
    names.project_in = at + "project_in.weight";
    names.project_out = at + "project_out.weight";
  }
  if (config.final_norm) {
    names.final_norm = norm_names(config, at + (config.family == Family::opt ? "final_layer_norm" : "norm"));
  }
  return names;
}

std::string module_of(const std::string& weight_name) {
  constexpr std::string_view kWeight = ".weight";
  return weight_name.substr(0, weight_name.size() - kWeight.size());
}

std::vector<std::string> vector_names(const ModelConfig& config, int64_t block) {
  std::vector<std::string> names;
  for (const NormNames& norm : {attention_norm_names(config, block), mlp_norm_names(config, block)}) {
    names.push_back(norm.weight);
    if (!norm.bias.empty()) names.push_back(norm.bias);
  }
  for (const Linear linear : linears(config)) {
    if (has_bias(config, linear)) names.push_back(bias_name(config, block, linear));
  }
  return names;
}

std::vector<std::string> outer_tensors(const ModelConfig& config) {
  const OuterNames outer = outer_names(config);
  std::vector<std::string> names;
  for (const std::string* name : {&outer.embedding, &outer.positions, &outer.project_in, &outer.project_out,
                                  &outer.final_norm.weight, &outer.final_norm.bias}) {
    if (!name->empty()) names.push_back(*name);
  }
  if (!config.tied_embeddings) names.push_back(outer.head);
  return names;
}

}  // namespace lowbit::lm
