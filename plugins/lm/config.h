// What config.json says about a LLaMA model. Anything that would change the forward pass and is not implemented is
// refused by name, so that a model is either computed as its authors meant or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace lowbit::lm {

/// How rotation frequencies are changed for contexts longer than the model was first trained on.
struct RopeScaling {
  enum class Kind {
    none,
    linear,  ///< all frequencies / factor (Chen et al. 2023, eq. 4)
    llama3,  ///< low ones / factor, high ones as they are, between them a blend (Llama 3.1)
  };
  Kind kind = Kind::none;
  double factor = 1;
  // Of llama3: wavelengths above original_positions / low_freq_factor are low, below original_positions /
  // high_freq_factor high.
  double low_freq_factor = 1, high_freq_factor = 4;
  int64_t original_positions = 0;
};

struct LlamaConfig {
  int64_t hidden_size = 0;        // h
  int64_t intermediate_size = 0;  // f
  int64_t n_blocks = 0;
  int64_t n_heads = 0;     // n, query heads
  int64_t n_kv_heads = 0;  // m, divides n
  int64_t head_dim = 0;    // d, even
  int64_t vocab_size = 0;  // V
  int64_t max_positions = 0;
  double rms_norm_eps = 0;
  double rope_theta = 0;
  RopeScaling rope_scaling;
  bool tied_embeddings = false;  ///< the output matrix is the embedding
  std::optional<int64_t> bos_id, pad_id;
  std::vector<int64_t> eos_ids;  ///< generation stops at any of them
};

/// Reads `directory/config.json`, and the stop tokens of generation_config.json when there is one.
/// Throws Error{bad_input}.
[[nodiscard]] LlamaConfig read_llama_config(const std::filesystem::path& directory);

}  // namespace lowbit::lm
