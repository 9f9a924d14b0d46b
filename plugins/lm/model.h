// A decoder-only model (LLaMA, Mistral, Qwen2, OPT): embedding, blocks, output matrix. The whole model at once, or
// block by block.
//
//   const auto config = lm::read_model_config(dir);
//   const auto weights = lm::Checkpoint::open(dir);
//   const lm::Model model(config, weights, at::kFloat);
//   at::Tensor logits = model.logits(model.forward(ids));        // ids: [B, T] int64
//
// Letters and precision as in lm/block.h; e embedding width (h but for OPT-350M).
// Thread rule: const members may be called from any thread.
#pragma once

#include <vector>

#include "lm/block.h"

namespace lowbit::lm {

/// Refuses a tensor that no part of the model reads: it would mean another model. Throws Error{bad_input}.
void check_tensors(const ModelConfig& config, const WeightSource& weights);
/// Refuses a name that nothing of such a model would read. Throws Error{bad_input}.
void check_names(const ModelConfig& config, const std::vector<std::string>& names);

/// What stands before the first block and after the last.
struct OuterWeights {
  at::Tensor embedding;                // [V, e]
  at::Tensor positions;                // [2 + max_positions, h]: learned ones, from row 2 on; undefined: rotary
  at::Tensor project_in, project_out;  // [h, e], [e, h]; undefined: e is h
  Norm final_norm;                     // undefined: none
  at::Tensor head;                     // [V, e]; the embedding itself when tied
};
/// Tensors by their Hugging Face names; `get` is asked for each once, and not for a tied output matrix.
[[nodiscard]] OuterWeights assemble_outer(const ModelConfig& config, const GetTensor& get);

/// What the first block reads: ids [B, T] int64 -> [B, T, h].
[[nodiscard]] at::Tensor embed(const OuterWeights& w, const at::Tensor& ids, const Positions& positions);
/// What the output matrix reads: [.., h] -> [.., e].
[[nodiscard]] at::Tensor head_input(const ModelConfig& config, const OuterWeights& w, const at::Tensor& hidden);

class Model {
 public:
  /// `resident`: all blocks are loaded now; `streaming`: each is read when asked for, memory does not grow with depth.
  enum class Blocks { resident, streaming };

  /// `as`: dtype and device, a dtype alone: on the CPU. check_tensors(); shapes are checked as blocks are read.
  /// `weights` must outlive a streaming model. Tensors that lie there as they are stored stay mapped. Throws
  /// Error{bad_input}.
  Model(ModelConfig config, const WeightSource& weights, const at::TensorOptions& as, Blocks blocks = Blocks::resident);

  [[nodiscard]] const ModelConfig& config() const { return config_; }
  [[nodiscard]] at::ScalarType dtype() const { return c10::typeMetaToScalarType(as_.dtype()); }
  [[nodiscard]] const at::TensorOptions& options() const { return as_; }  ///< dtype and device of its activations
  [[nodiscard]] bool streaming() const { return blocks_.empty(); }
  [[nodiscard]] BlockWeights block(int64_t index) const;
  /// REQUIRES: not streaming. For methods that replace weights in memory.
  [[nodiscard]] BlockWeights& resident_block(int64_t index);

  /// [B, T], on any device -> [B, T, h]
  [[nodiscard]] at::Tensor embed(const at::Tensor& ids, const Positions& positions) const;
  /// Final norm and output matrix: [.., h] -> [.., V], in the compute dtype.
  [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const;
  /// Embedding and all blocks: [B, T] -> [B, T, h], before the final norm. With a cache, ids continue what it holds.
  [[nodiscard]] at::Tensor forward(const at::Tensor& ids, const at::Tensor& n_pads = {},
                                   KvCache* cache = nullptr) const;

 private:
  ModelConfig config_;
  at::TensorOptions as_;
  const WeightSource* weights_;  // null once resident
  OuterWeights outer_;
  std::vector<BlockWeights> blocks_;
};

}  // namespace lowbit::lm
