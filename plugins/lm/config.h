// What config.json says about a decoder-only model. Anything that would change the forward pass and is not implemented
// is refused by name, so that a model is either computed as its authors meant or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lowbit::lm {

/// The families differ in names of tensors and in defaults of config.json; what is computed is in ModelConfig.
enum class Family { llama, mistral, qwen2, opt };
/// "llama", as config.json's model_type has it.
[[nodiscard]] const char* name_of(Family family);

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

struct ModelConfig {
  Family family = Family::llama;
  int64_t hidden_size = 0;        // h
  int64_t intermediate_size = 0;  // f
  int64_t embedding_size = 0;     ///< e: h, or less when a projection leads from one to the other (OPT-350M)
  int64_t n_blocks = 0;
  int64_t n_heads = 0;     // n, query heads
  int64_t n_kv_heads = 0;  // m, divides n
  int64_t head_dim = 0;    // d, even where positions are rotary
  int64_t vocab_size = 0;  // V
  int64_t max_positions = 0;

  enum class Norm { rms, layer } norm = Norm::rms;  ///< RMSNorm, or LayerNorm with a bias
  double norm_eps = 0;
  bool norm_first = true;  ///< norms stand before attention and MLP; false: after their sum with the residual
  bool final_norm = true;  ///< a norm before the output matrix
  enum class Mlp { swiglu, relu } mlp = Mlp::swiglu;  ///< relu: no gate, two matrices
  bool qkv_bias = false, o_bias = false, mlp_bias = false;

  enum class Position { rotary, learned } position = Position::rotary;
  double rope_theta = 0;
  RopeScaling rope_scaling;
  std::vector<int64_t> windows;  ///< by block, keys that a query sees, its own among them; 0 or empty: all before it

  bool tied_embeddings = false;  ///< the output matrix is the embedding
  std::optional<int64_t> bos_id, pad_id;
  std::vector<int64_t> eos_ids;  ///< generation stops at any of them

  /// Keys that a query of this block sees; 0: all before it.
  [[nodiscard]] int64_t window(int64_t block) const {
    return windows.empty() ? 0 : windows[static_cast<size_t>(block)];
  }
};

/// Reads `directory/config.json`, and the stop tokens of generation_config.json when there is one.
/// Throws Error{bad_input}.
[[nodiscard]] ModelConfig read_model_config(const std::filesystem::path& directory);

/// What generation_config.json sets and lowbit does not use, as "temperature 0.6", in order of names: all but ids of
/// special tokens (of which eos_token_id is used) and who wrote the file. Null and false set nothing.
/// Throws Error{bad_input}.
[[nodiscard]] std::vector<std::string> unused_generation_settings(const std::filesystem::path& directory);

}  // namespace lowbit::lm
