// Training an adapter over a frozen model, which may be packed: its matrices never change.
//
//   lm::Adapter adapter = train::new_adapter(config, *base, {.rank = 16, .alpha = 32, .targets = ...}, seed);
//   const train::LoraModel model(config, *base, adapter, at::kBFloat16);
//   train::Parameters parameters(model.initial());
//   at::Tensor nll = model.nll(leaves, batch);
//   adapter = model.trained(parameters);
//
// Without dropout a linear is multiplied as one matrix W + (alpha / r) B A, formed anew each step in fp32: for small
// models that is cheaper than the branch, and it is what evaluation computes. With dropout the branch is computed
// apart, since only its input is dropped: W x + (alpha / r) B A dropout(x).
//
// Blocks::resident keeps the frozen matrices dequantized, and W + (alpha / r) B A of every block until the backward
// pass has gone through it. Blocks::recomputed reads each block from the base as it is stored, widens it for the time
// of its forward pass, and computes it again in the backward pass: beside the base there is one wide block per thread.
// Both give the same bits.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lm/activations.h"
#include "lm/adapter.h"
#include "lm/train/forward.h"
#include "lm/train/parameters.h"

namespace lowbit::lm::train {

struct LoraOptions {
  int64_t rank = 16;
  double alpha = 32;
  double dropout = 0;
  std::vector<std::string> targets;  ///< of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj
  std::vector<int64_t> token_ids;    ///< rows of embedding and output matrix that are trained too, ascending
  /// Both matrices are trained whole (one, where the model ties them); rows of token_ids only begin elsewhere.
  bool whole_matrices = false;
  /// Tokens whose mean row each of `token_ids` begins at; empty, or for one token empty: all that are not trained, plus
  /// N(0, 1/h) noise.
  std::vector<std::vector<int64_t>> first_rows_of;
};

/// A as in PEFT uniform in +-1/sqrt(in) (Kaiming with a = sqrt 5), B = 0: the model is the base's at first. Throws
/// Error{bad_param} for a target that no linear has.
[[nodiscard]] Adapter new_adapter(const ModelConfig& config, const WeightSource& base, const LoraOptions& options,
                                  uint64_t seed);

class LoraModel {
 public:
  enum class Blocks { resident, recomputed };
  struct Options {
    at::ScalarType matrices = at::kFloat;  ///< dtype of the matrix products
    at::ScalarType dtype = at::kFloat;     ///< of all else; fp64 in tests
    Blocks blocks = Blocks::resident;
  };
  /// `base` must outlive a model whose blocks are recomputed. Throws Error{bad_input} when the adapter does not fit it.
  LoraModel(ModelConfig config, const WeightSource& base, Adapter adapter, Options options);

  /// Trained parameters by name: lora_A and lora_B of each weight, embedding_rows and head_rows, or embedding_matrix
  /// and head_matrix.
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> initial() const;

  /// [N]: `scale` where rows or matrices of tokens stand, 1 elsewhere.
  [[nodiscard]] static at::Tensor row_scale(const Parameters& parameters, double scale);

  /// -log p(target) of each scored token, [P]. `leaves`: values of the parameters, by name; they must live until the
  /// backward pass is over. Seed of this forward pass's dropout; none: nothing is dropped.
  [[nodiscard]] at::Tensor nll(const NamedTensors& leaves, const Batch& batch,
                               std::optional<uint64_t> dropout_seed = {}) const;

  [[nodiscard]] Adapter trained(const Parameters& parameters) const;
  [[nodiscard]] const ModelConfig& config() const { return config_; }

 private:
  [[nodiscard]] OuterWeights outer(const NamedTensors& leaves) const;
  [[nodiscard]] BlockWeights block(int64_t index, const NamedTensors& leaves,
                                   std::optional<uint64_t> dropout_seed) const;
  /// A frozen tensor, in `dtype`.
  [[nodiscard]] at::Tensor frozen(const std::string& name) const;

  ModelConfig config_;
  Adapter adapter_;
  Options options_;
  const WeightSource* source_ = nullptr;  // of blocks that are recomputed
  NamedTensors base_;      // by Hugging Face name, in `dtype`; outer ones only where blocks are recomputed
  at::Tensor token_ids_;   // [n] int64
  ActivationRules rules_;  // of the base
};

}  // namespace lowbit::lm::train
