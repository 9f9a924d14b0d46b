// Calibration windows on their way through a model, block by block: what every method that looks at activations walks
// along. All windows stand before the same block; the memory they take does not depend on how many blocks there are.
//
//   lm::Calibration calibration(model, batches, {.batch_size = 8});
//   for each block: w = model.block(i);
//     at::Tensor h = calibration.second_moments(w, lm::Linear::q);   // inputs of q, k, v, with w as it is now
//     ... change w ...
//     calibration.pass_attention(w);                                  // on with what w has become
//     h = calibration.second_moments(w, lm::Linear::gate); ...
//     calibration.pass_mlp(w);
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lm/activations.h"
#include "lm/model.h"
#include "lm/token_batches.h"

namespace lowbit::lm {

/// The least and the largest of what each input channel was: [in] each.
struct Extremes {
  at::Tensor low, high;

  [[nodiscard]] at::Tensor largest() const { return at::maximum(low.neg(), high); }  ///< max |x|, [in]
  /// Of all channels together, each divided by `s` ([in]) where that is given. Not finite where an input was not.
  [[nodiscard]] Range range(const at::Tensor& s = {}) const;
};

/// For statistics that a handful of tokens cannot give. Throws Error{bad_param} when there are fewer than `least`.
void require_tokens(int64_t n_tokens, int64_t least);

class Calibration {
 public:
  struct Options {
    int64_t batch_size = 1;      ///< windows that are computed together
    std::function<void()> tick;  ///< called before each batch, may throw to cancel
  };
  /// Embeds the windows. `model` must outlive this. Throws Error{bad_param} when the windows are longer than the
  /// model's positions, Error{bad_input} when padding stands anywhere but before or after a window's tokens.
  Calibration(const Model& model, const TokenBatches& batches, Options options);

  /// What a group of linears reads, batch by batch: x [B, L, in] with its real tokens (keep: bool [B, L], undefined:
  /// all) and its positions. For q and o the windows stand before the block, for gate and down before its second half.
  using Visit = std::function<void(const at::Tensor& x, const at::Tensor& keep, const Positions& positions)>;
  void for_each_input(const BlockWeights& w, Linear group, const Visit& visit) const;
  /// 2 / N times the sum of x x^T over all real tokens x that reach this group of linears, [in, in].
  [[nodiscard]] at::Tensor second_moments(const BlockWeights& w, Linear group) const;
  /// The same of all groups in one pass through the block; the windows stay where they are.
  /// REQUIRES: they stand before the block.
  [[nodiscard]] std::map<Linear, at::Tensor> all_second_moments(const BlockWeights& w) const;
  /// The same, and the windows go on behind the block.
  [[nodiscard]] std::map<Linear, at::Tensor> pass_block(const BlockWeights& w);
  /// Over the same tokens, before anything that w rounds is rounded.
  [[nodiscard]] Extremes extremes(const BlockWeights& w, Linear group) const;
  void pass_attention(const BlockWeights& w);
  void pass_mlp(const BlockWeights& w);

  [[nodiscard]] int64_t n_tokens() const { return n_tokens_; }  ///< real ones
  [[nodiscard]] at::ScalarType dtype() const { return model_.dtype(); }
  void require_tokens(int64_t least) const { lm::require_tokens(n_tokens_, least); }
  /// Hidden states by batch, for a checkpoint; and back again.
  [[nodiscard]] NamedTensors save() const;
  void restore(const WeightSource& saved);

 private:
  /// Through the block, `behind(i, hidden)` with what comes out of batch i.
  [[nodiscard]] std::map<Linear, at::Tensor> collect(
      const BlockWeights& w, const std::function<void(size_t, const at::Tensor&)>& behind) const;

  struct Batch {
    at::Tensor hidden;  // [B, L, h]
    at::Tensor keep;    // bool [B, L]; undefined: all
    Positions positions;
  };
  const Model& model_;
  Options options_;
  std::vector<Batch> batches_;
  int64_t n_tokens_ = 0;
};

/// Passes the windows through a block and adds to `ranges` the range of what each group of its linears reads, under the
/// name that ActivationRules has for it. Throws Error{numeric} when an input is not finite.
void pass_with_ranges(Calibration& calibration, const ModelConfig& config, const BlockWeights& w, int64_t block,
                      std::map<std::string, Range>& ranges);
/// One entry of that. `s`: [in], what the inputs will be divided by; undefined: nothing.
void add_range(std::map<std::string, Range>& ranges, const ModelConfig& config, int64_t block, Linear group,
               const Extremes& extremes, const at::Tensor& s = {});

}  // namespace lowbit::lm
