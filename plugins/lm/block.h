// A decoder block: norm, grouped-query attention, norm, MLP, each half added to its input. What varies between families
// (RMSNorm or LayerNorm, rotary or learned positions, SwiGLU or ReLU, biases, windows) is read from ModelConfig.
//
// Letters: B sequences, T positions in a call, S positions attended to, h hidden, f intermediate, V vocabulary,
//          n query heads, m key/value heads, d head dim.
// Precision: matrices are held and multiplied in the compute dtype (fp32, bf16 or fp64); norms, rotations, softmax and
// losses are computed in fp32 (fp64 when the compute dtype is), as the models were trained. The halves of a block also
// take matrices narrower than x and the norms: products are then in the matrices' dtype, all else in x's.
// Tensors may require gradients: nothing that a gradient needs is overwritten.
// Thread rule: free functions without state.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lm/config.h"
#include "lm/safetensors.h"
#include "lm/tensor_names.h"
#include "lm/torch.h"

namespace lowbit::lm {

struct Norm {
  at::Tensor weight, bias;  // [h]; no bias in an RMSNorm
};

/// What is done to activations on their way (lm/activations.h); empty functions: nothing.
struct ActivationHooks {
  /// What a group of linears reads instead of x. `real`: of Positions.
  std::function<at::Tensor(Linear group, const at::Tensor& x, const at::Tensor& real)> input;
  std::function<at::Tensor(const at::Tensor& y)> qkv_output;  ///< of q, k and v, [B, T, out], before positions
  std::function<at::Tensor(const at::Tensor& heads)> cached;  ///< keys with positions and values, [B, m, T, d]
};

struct BlockWeights {
  Norm attention_norm, mlp_norm;
  at::Tensor q, k, v;                // [n d, h], [m d, h], [m d, h]
  at::Tensor o;                      // [h, n d]
  at::Tensor gate, up;               // [f, h]; gate undefined where the model has none
  at::Tensor down;                   // [h, f]
  std::array<at::Tensor, 7> biases;  // [out] by linear; undefined: none
  int64_t window = 0;                ///< keys that a query sees, its own among them; 0: all before it
  /// What is added to a linear's output, as a function of its input: the branch of an adapter that drops inputs while
  /// it is trained. Empty, or its result undefined: nothing.
  std::function<at::Tensor(Linear linear, const at::Tensor& x)> branch;

  ActivationHooks activations;

  [[nodiscard]] at::Tensor& operator[](Linear linear);
  [[nodiscard]] const at::Tensor& operator[](Linear linear) const;
  [[nodiscard]] at::Tensor& bias(Linear linear) { return biases[static_cast<size_t>(linear)]; }
  [[nodiscard]] const at::Tensor& bias(Linear linear) const { return biases[static_cast<size_t>(linear)]; }
};

/// A block of tensors by their Hugging Face names; `get` is asked for each once.
using GetTensor = std::function<at::Tensor(const std::string& name, const std::vector<int64_t>& shape)>;
[[nodiscard]] BlockWeights assemble_block(const ModelConfig& config, int64_t block, const GetTensor& get);

/// As it is stored. Throws Error{bad_input} for a missing tensor, a wrong shape, or integers.
[[nodiscard]] at::Tensor shaped_tensor(const WeightSource& weights, const std::string& name,
                                       const std::vector<int64_t>& shape);
/// In the dtype and on the device of `as` (a dtype alone: on the CPU): a view of what `weights` has mapped where it
/// lies there as it is stored, so never write into it. Throws what shaped_tensor() throws, and Error{numeric} for NaN
/// and Inf.
[[nodiscard]] at::Tensor load_tensor(const WeightSource& weights, const std::string& name,
                                     const std::vector<int64_t>& shape, const at::TensorOptions& as);
[[nodiscard]] BlockWeights load_block(const ModelConfig& config, const WeightSource& weights, int64_t block,
                                      const at::TensorOptions& as);

/// Keys and values of the positions seen so far, for decoding.
struct KvCache {
  std::vector<at::Tensor> keys, values;  // per block: [B, m, capacity, d]
  int64_t length = 0;                    // positions filled

  KvCache(const ModelConfig& config, int64_t n_sequences, int64_t capacity, const at::TensorOptions& as);
  /// Drops all sequences but `rows` ([n] int64, on any device).
  void keep(const at::Tensor& rows);
  /// Drops the first n positions of all sequences.
  void drop_front(int64_t n);
  /// Takes n positions of a sequence of `from`, of the same model; `length` stays.
  void copy(int64_t row, int64_t position, const KvCache& from, int64_t from_row, int64_t from_position, int64_t n);
};

/// Angle from one position to the next of each pair of a head: [d / 2] fp64.
[[nodiscard]] at::Tensor rope_frequencies(const ModelConfig& config);

/// Where T positions stand and what they may see; shared by all blocks of one call.
struct Positions {
  at::Tensor index;     // int64 [1 or B, T]: 0 for the first real token
  at::Tensor cos, sin;  // [1 or B, 1, T, d]; undefined where positions are learned
  int64_t past = 0;     // S - T
  at::Tensor n_pads;    // as given, on the device of the others
  at::Tensor real;      // bool [B, T], false on padding: that before the tokens, unless set otherwise; undefined: none

  /// `n_pads`: left padding per sequence, [B] int64, or undefined. Positions count from the first real token; a padding
  /// position sees only itself. Or [B, T] without a past: where the text of each token begins, of several in a
  /// sequence. `as`: dtype and device of the activations; what is given may lie on any.
  Positions(const ModelConfig& config, int64_t past, int64_t n_new, const at::Tensor& left_pads,
            const at::TensorOptions& as);
};

/// Left padding of each row of `keep` (bool [B, T], true for real tokens): [B] int64; padding on the right needs
/// nothing, since nothing looks that way. Throws Error{bad_input} when a row's tokens are not one stretch.
[[nodiscard]] at::Tensor left_padding(const at::Tensor& keep);

/// RMSNorm or LayerNorm of x [.., h], as the model has it.
[[nodiscard]] at::Tensor normed(const ModelConfig& config, const Norm& norm, const at::Tensor& x);

/// Called with the input of each linear group just before it is applied: x [B, T, in]. The groups are named by their
/// first member, input_group().
using InputTap = std::function<void(Linear group, const at::Tensor& x)>;

/// What q, k and v read of x [B, T, h], and what the MLP reads.
[[nodiscard]] at::Tensor attention_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x);
[[nodiscard]] at::Tensor mlp_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x);
/// What o reads, [B, T, n d], of what stands before the block; what down reads, [B, T, f], of what stands before its
/// second half. The halves of a block up to their last matrix.
[[nodiscard]] at::Tensor output_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                                      const Positions& positions);
[[nodiscard]] at::Tensor down_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                                    const at::Tensor& real = {});

/// What attention and the MLP add to their input, of what they read: x [B, T, h] as attention_input() and mlp_input()
/// give it -> [B, T, h].
[[nodiscard]] at::Tensor attention_output(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                                          const Positions& positions);
[[nodiscard]] at::Tensor mlp_output(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                                    const InputTap& tap = {}, const at::Tensor& real = {});

/// The two halves of a block, each adding to its input: x [B, T, h] -> [B, T, h]. `cache` (with its block index) is
/// filled with this call's T positions; the caller advances its length after the last block. `real`: of Positions.
[[nodiscard]] at::Tensor attention_forward(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                                           const Positions& positions, KvCache* cache = nullptr, int64_t block = 0,
                                           const InputTap& tap = {});
[[nodiscard]] at::Tensor mlp_forward(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                                     const InputTap& tap = {}, const at::Tensor& real = {});
[[nodiscard]] at::Tensor block_forward(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                                       const Positions& positions, KvCache* cache = nullptr, int64_t block = 0);

}  // namespace lowbit::lm
