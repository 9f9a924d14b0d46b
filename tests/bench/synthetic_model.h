// LLaMA models of a given shape with random weights, written as Hugging Face directories, and windows of random tokens
// for them. The same options give the same files.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "lm/digest.h"
#include "lm/json_file.h"
#include "lm/model.h"
#include "lm/safetensors.h"
#include "lm/token_batches.h"

namespace lowbit::bench {

struct ModelShape {
  int64_t hidden = 0, intermediate = 0;
  int64_t n_heads = 0, n_kv_heads = 0;
  int64_t n_blocks = 0;
  int64_t vocab = 0;
  int64_t max_positions = 2048;
};

inline at::Tensor random_matrix(int64_t rows, int64_t columns, double deviation) {
  return (at::randn({rows, columns}) * deviation).to(at::kBFloat16);
}

/// Weights in bf16, one file for embedding and output matrix and one per `blocks_per_file` blocks. tokenizer.json is
/// there to be hashed and copied; it reads no text.
inline void write_model(const std::filesystem::path& directory, const ModelShape& s, int64_t blocks_per_file = 4) {
  std::filesystem::create_directories(directory);
  at::manual_seed(1);
  const nlohmann::json json{{"architectures", {"LlamaForCausalLM"}},
                            {"model_type", "llama"},
                            {"hidden_size", s.hidden},
                            {"intermediate_size", s.intermediate},
                            {"num_hidden_layers", s.n_blocks},
                            {"num_attention_heads", s.n_heads},
                            {"num_key_value_heads", s.n_kv_heads},
                            {"vocab_size", s.vocab},
                            {"max_position_embeddings", s.max_positions},
                            {"rms_norm_eps", 1e-5},
                            {"rope_theta", 10000.0},
                            {"hidden_act", "silu"},
                            {"tie_word_embeddings", true}};
  lm::write_json_file(directory / "config.json", json);
  lm::write_json_file(directory / "tokenizer.json", nlohmann::json::object());

  const lm::ModelConfig config = lm::read_model_config(directory);
  std::map<std::string, std::string> file_of;
  uint64_t n_bytes = 0;
  const auto write_file = [&](lm::NamedTensors& tensors) {
    const std::string name = "model-" + std::to_string(file_of.size()) + ".safetensors";
    lm::write_safetensors(directory / name, tensors);
    for (const auto& [tensor_name, tensor] : tensors) {
      file_of[tensor_name] = name;
      n_bytes += tensor.nbytes();
    }
    tensors.clear();
  };
  lm::NamedTensors tensors;
  const auto random = [&](const std::string& name, const std::vector<int64_t>& shape) {
    // Variance kept from layer to layer; norms are 1.
    tensors[name] = shape.size() == 1 ? at::ones(shape, at::kBFloat16)
                                      : random_matrix(shape[0], shape[1], 1 / std::sqrt(static_cast<double>(shape[1])));
    return tensors[name];
  };
  (void)lm::assemble_outer(config, random);
  write_file(tensors);
  for (int64_t block = 0; block < s.n_blocks; ++block) {
    (void)lm::assemble_block(config, block, random);
    if ((block + 1) % blocks_per_file == 0 || block + 1 == s.n_blocks) write_file(tensors);
  }
  lm::write_safetensors_index(directory, file_of, n_bytes);
}

inline lm::TokenBatches random_windows(const std::filesystem::path& model, int64_t n_windows, int64_t length) {
  lm::TokenBatches batches;
  batches.vocab_size = lm::read_model_config(model).vocab_size;
  at::manual_seed(2);
  batches.ids = at::randint(batches.vocab_size, {n_windows, length}, at::kLong);
  batches.tokenizer_sha256 = lm::sha256_of_file(model / "tokenizer.json");
  batches.variant = "random";
  batches.rule = "random tokens";
  batches.bos = "none";
  return batches;
}

}  // namespace lowbit::bench
