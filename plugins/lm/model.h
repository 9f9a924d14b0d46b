// LLaMA: RMSNorm, rotary positions, grouped-query attention, SwiGLU. The whole model at once, or block by block.
//
//   const auto config = lm::read_llama_config(dir);
//   const auto weights = lm::Checkpoint::open(dir);
//   const lm::Llama model(config, weights, at::kFloat);
//   at::Tensor logits = model.logits(model.forward(ids));        // ids: [B, T] int64
//
// Letters: B sequences, T positions in a call, S positions attended to, h hidden, f intermediate, V vocabulary,
//          n query heads, m key/value heads, d head dim.
// Precision: matrices are held and multiplied in the compute dtype (fp32, bf16 or fp64); norms, rotations, softmax and
// losses are computed in fp32 (fp64 when the compute dtype is), as the models were trained. The halves of a block also
// take matrices narrower than x and the norms: products are then in the matrices' dtype, all else in x's.
// Tensors may require gradients: nothing that a gradient needs is overwritten.
// Thread rule: const members may be called from any thread.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lm/config.h"
#include "lm/safetensors.h"
#include "lm/torch.h"

namespace lowbit::lm {

/// The seven matrices of a block, in the order they are applied.
enum class Linear { q, k, v, o, gate, up, down };
inline constexpr std::array<Linear, 7> kLinears{Linear::q,    Linear::k,  Linear::v,   Linear::o,
                                                Linear::gate, Linear::up, Linear::down};
/// "model.layers.3.self_attn.q_proj.weight"
[[nodiscard]] std::string linear_name(int64_t block, Linear linear);
/// [out, in]
[[nodiscard]] std::vector<int64_t> linear_shape(const LlamaConfig& config, Linear linear);

struct BlockWeights {
  at::Tensor attention_norm;  // [h]
  at::Tensor q, k, v;         // [n d, h], [m d, h], [m d, h]
  at::Tensor o;               // [h, n d]
  at::Tensor mlp_norm;        // [h]
  at::Tensor gate, up;        // [f, h]
  at::Tensor down;            // [h, f]
  /// What is added to a linear's output, as a function of its input: the branch of an adapter that drops inputs while
  /// it is trained. Empty, or its result undefined: nothing.
  std::function<at::Tensor(Linear linear, const at::Tensor& x)> branch;

  [[nodiscard]] at::Tensor& operator[](Linear linear);
  [[nodiscard]] const at::Tensor& operator[](Linear linear) const;
};

/// Refuses a tensor that no part of the model reads: it would mean another model. Throws Error{bad_input}.
void check_tensors(const LlamaConfig& config, const WeightSource& weights);

/// Copies one block into `dtype`. Throws Error{bad_input} for a missing tensor, a wrong shape or a bias.
[[nodiscard]] BlockWeights load_block(const LlamaConfig& config, const WeightSource& weights, int64_t block,
                                      at::ScalarType dtype);

/// Keys and values of the positions seen so far, for decoding.
struct KvCache {
  std::vector<at::Tensor> keys, values;  // per block: [B, m, capacity, d]
  int64_t length = 0;                    // positions filled

  KvCache(const LlamaConfig& config, int64_t n_sequences, int64_t capacity, at::ScalarType dtype);
  /// Drops all sequences but `rows` ([n] int64).
  void keep(const at::Tensor& rows);
};

/// Angle from one position to the next of each pair of a head: [d / 2] fp64.
[[nodiscard]] at::Tensor rope_frequencies(const LlamaConfig& config);

/// Where T positions stand and what they may see; shared by all blocks of one call.
struct Positions {
  at::Tensor cos, sin;  // [1 or B, 1, T, d]
  int64_t past = 0;     // S - T
  at::Tensor n_pads;    // as given

  /// `n_pads`: left padding per sequence, [B] int64, or undefined. Positions count from the first real token; a padding
  /// position sees only itself.
  Positions(const LlamaConfig& config, int64_t past, int64_t n_new, const at::Tensor& left_pads, at::ScalarType dtype);
};

/// Left padding of each row of `keep` (bool [B, T], true for real tokens): [B] int64; padding on the right needs
/// nothing, since nothing looks that way. Throws Error{bad_input} when a row's tokens are not one stretch.
[[nodiscard]] at::Tensor left_padding(const at::Tensor& keep);

/// Called with the input of each linear group just before it is applied: x [B, T, in]. The groups are {q, k, v}, {o},
/// {gate, up}, {down}, named by their first member.
using InputTap = std::function<void(Linear group, const at::Tensor& x)>;
[[nodiscard]] Linear input_group(Linear linear);

/// The two halves of a block, each adding to its input: x [B, T, h] -> [B, T, h]. `cache` (with its block index) is
/// filled with this call's T positions; the caller advances its length after the last block.
[[nodiscard]] at::Tensor attention_forward(const LlamaConfig& config, const BlockWeights& w, const at::Tensor& x,
                                           const Positions& positions, KvCache* cache = nullptr, int64_t block = 0,
                                           const InputTap& tap = {});
[[nodiscard]] at::Tensor mlp_forward(const LlamaConfig& config, const BlockWeights& w, const at::Tensor& x,
                                     const InputTap& tap = {});
[[nodiscard]] at::Tensor block_forward(const LlamaConfig& config, const BlockWeights& w, const at::Tensor& x,
                                       const Positions& positions, KvCache* cache = nullptr, int64_t block = 0);

class Llama {
 public:
  /// `resident`: all blocks are loaded now; `streaming`: each is read when asked for, memory does not grow with depth.
  enum class Blocks { resident, streaming };

  /// check_tensors(); shapes are checked as blocks are read. `weights` must outlive a streaming model.
  /// Throws Error{bad_input}.
  Llama(LlamaConfig config, const WeightSource& weights, at::ScalarType dtype, Blocks blocks = Blocks::resident);

  [[nodiscard]] const LlamaConfig& config() const { return config_; }
  [[nodiscard]] at::ScalarType dtype() const { return dtype_; }
  [[nodiscard]] bool streaming() const { return blocks_.empty(); }
  [[nodiscard]] BlockWeights block(int64_t index) const;
  /// REQUIRES: not streaming. For methods that change weights in memory.
  [[nodiscard]] BlockWeights& resident_block(int64_t index);

  [[nodiscard]] at::Tensor embed(const at::Tensor& ids) const;  ///< [B, T] int64 -> [B, T, h]
  /// Final norm and output matrix: [.., h] -> [.., V], in the compute dtype.
  [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const;
  /// Embedding and all blocks: [B, T] -> [B, T, h], before the final norm. With a cache, ids continue what it holds.
  [[nodiscard]] at::Tensor forward(const at::Tensor& ids, const at::Tensor& n_pads = {},
                                   KvCache* cache = nullptr) const;

 private:
  LlamaConfig config_;
  at::ScalarType dtype_;
  const WeightSource* weights_;  // null once resident
  at::Tensor embedding_;         // [V, h]
  at::Tensor final_norm_;        // [h]
  at::Tensor head_;              // [V, h]; the embedding itself when tied
  std::vector<BlockWeights> blocks_;
};

}  // namespace lowbit::lm
