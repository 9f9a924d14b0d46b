#include "pretrain.h"

#include <cmath>

#include "lm/error.h"
#include "lm/json_file.h"
#include "lm/model.h"
#include "lm/train/random.h"

namespace lowbit::pretrain {
namespace {

constexpr const char* kEmbedding = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";

}  // namespace

std::vector<std::string> matrix_names(const lm::ModelConfig& config) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    for (const lm::Linear linear : lm::linears(config)) names.push_back(lm::linear_name(config, i, linear));
  }
  return names;
}

std::vector<std::pair<std::string, at::Tensor>> first_weights(const lm::ModelConfig& c, uint64_t seed) {
  at::Generator generator = lm::train::generator_at(seed, {0});
  const auto normal = [&](at::IntArrayRef shape, double std) {
    return at::empty(shape, at::kFloat).normal_(0, std, generator);
  };
  const double std = 1 / std::sqrt(static_cast<double>(c.hidden_size));
  std::vector<std::pair<std::string, at::Tensor>> weights;
  weights.emplace_back(kEmbedding, normal({c.vocab_size, c.hidden_size}, std));
  if (!c.tied_embeddings) weights.emplace_back(kHead, normal({c.vocab_size, c.hidden_size}, std));
  const at::Tensor ones = at::ones({c.hidden_size});
  weights.emplace_back("model.norm.weight", ones);
  for (int64_t i = 0; i < c.n_blocks; ++i) {
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    weights.emplace_back(prefix + "input_layernorm.weight", ones);
    weights.emplace_back(prefix + "post_attention_layernorm.weight", ones);
  }
  for (int64_t i = 0; i < c.n_blocks; ++i) {
    for (const lm::Linear linear : lm::linears(c)) {
      const bool to_residual = linear == lm::Linear::o || linear == lm::Linear::down;
      const double depth = to_residual ? std::sqrt(2 * static_cast<double>(c.n_blocks)) : 1;
      weights.emplace_back(lm::linear_name(c, i, linear), normal(lm::linear_shape(c, linear), 0.6 * std / depth));
    }
  }
  return weights;
}

std::vector<int64_t> token_ids(const lm::Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<int64_t> ids;
  for (const std::string& text : texts) {
    const auto id = tokenizer.id(text);
    if (!id) {
      throw lm::Error(lm::Status::bad_param, {.what = "`" + text + "` is not a token",
                                              .where = "tokenizer.json",
                                              .why = "the vocabulary has no such entry",
                                              .fix = "name a token of this tokenizer, or add it to its added_tokens"});
    }
    ids.push_back(*id);
  }
  return ids;
}

FrozenRows::FrozenRows(lm::train::Parameters& parameters, const std::vector<int64_t>& ids)
    : ids_(at::tensor(ids, at::kLong)) {
  if (ids.empty()) return;
  const auto views = parameters.views(parameters.values);
  for (const char* name : {kEmbedding, kHead}) {
    const auto matrix = views.find(name);
    if (matrix != views.end()) kept_.push_back({matrix->second, matrix->second.index_select(0, ids_)});
  }
}

void FrozenRows::restore() {
  for (Kept& kept : kept_) kept.matrix.index_copy_(0, ids_, kept.rows);
}

void write_model(const std::filesystem::path& directory, const lm::ModelConfig& c,
                 const lm::train::Parameters& parameters, const std::filesystem::path& tokenizer) {
  const int64_t eos = c.eos_ids.front();
  lm::write_json_file(directory / "config.json", {{"architectures", nlohmann::json::array({"LlamaForCausalLM"})},
                                                  {"model_type", "llama"},
                                                  {"torch_dtype", "bfloat16"},
                                                  {"hidden_act", "silu"},
                                                  {"attention_bias", false},
                                                  {"mlp_bias", false},
                                                  {"hidden_size", c.hidden_size},
                                                  {"intermediate_size", c.intermediate_size},
                                                  {"num_hidden_layers", c.n_blocks},
                                                  {"num_attention_heads", c.n_heads},
                                                  {"num_key_value_heads", c.n_kv_heads},
                                                  {"head_dim", c.head_dim},
                                                  {"vocab_size", c.vocab_size},
                                                  {"max_position_embeddings", c.max_positions},
                                                  {"rms_norm_eps", c.norm_eps},
                                                  {"rope_theta", c.rope_theta},
                                                  {"tie_word_embeddings", c.tied_embeddings},
                                                  {"bos_token_id", *c.bos_id},
                                                  {"eos_token_id", eos},
                                                  {"pad_token_id", *c.pad_id}});
  lm::write_json_file(directory / "generation_config.json",
                      {{"bos_token_id", *c.bos_id}, {"eos_token_id", eos}, {"pad_token_id", *c.pad_id}});
  lm::NamedTensors tensors = parameters.views(parameters.values);
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kBFloat16);
  lm::write_safetensors(directory / "model.safetensors", tensors);
  std::filesystem::copy_file(tokenizer, directory / "tokenizer.json");
}

}  // namespace lowbit::pretrain
