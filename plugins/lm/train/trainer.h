// Optimizer steps over Parameters, with everything that a resumed job needs in one place.
//
//   Trainer trainer(parameters, {.adam = ..., .clip_norm = 1, .n_shards = 2}, pool);
//   while (trainer.n_steps() < total) trainer.step(loss, {.adam = lr});
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lm/train/optimizer.h"
#include "lm/train/parameters.h"

namespace lowbit::lm::train {

class Trainer {
 public:
  struct Options {
    AdamW::Options adam;
    int64_t n_decayed = 0;  ///< the first so many numbers of Adam's part of the buffer are decayed
    at::Tensor adam_scale;  ///< [numbers of that part], times the rate; undefined: 1
    /// Matrices that Muon updates, the last ones of the buffer; Adam updates all before them.
    std::vector<std::string> muon_matrices;
    Muon::Options muon;
    double clip_norm = 0;  ///< 0: never
    int64_t n_shards = 2;
  };
  /// `parameters` and `pool` must outlive this.
  Trainer(Parameters& parameters, Options options, ThreadPool& pool);

  struct Rates {
    double adam = 0, muon = 0;
  };
  struct Step {
    double loss, gradient_norm;  ///< before the update, before clipping
  };
  /// One update by the gradient of the sum of the shards' losses. Throws Error{numeric} when it is not finite.
  Step step(const ShardLoss& loss, const Rates& rates);
  [[nodiscard]] int64_t n_steps() const { return n_steps_; }  ///< updates made

  // What happened, by step; part of the state, since final metrics average over it.
  void record(const std::string& curve, double value) { curves_[curve].push_back(value); }
  [[nodiscard]] const std::map<std::string, std::vector<double>>& curves() const { return curves_; }
  /// Mean over the last tenth of the steps, at least one. REQUIRES: something was recorded.
  [[nodiscard]] double tail_mean(const std::string& curve) const;

  /// Parameters, moments, number of steps and curves, to the bit.
  void save(const std::filesystem::path& directory) const;
  void restore(const std::filesystem::path& directory);

 private:
  Parameters& parameters_;
  Options options_;
  ThreadPool& pool_;
  Gradients gradients_;
  int64_t n_adam_;  // numbers that Adam updates
  AdamW adam_;
  at::Tensor momentum_;  // [N]; used where Muon updates
  int64_t n_steps_ = 0;
  std::map<std::string, std::vector<double>> curves_;
};

}  // namespace lowbit::lm::train
