// Trained parameters in one flat buffer, and their gradient as a sum over shards of a batch.
//
//   Parameters parameters({{"a", a}, {"b", b}});
//   Gradients gradients(parameters, n_shards, pool);
//   double loss = gradients.compute([&](int64_t shard, const NamedTensors& leaves) { return loss_of(shard, leaves); });
//   gradients.total();                                                    // [N], beside parameters.values
//
// Each shard is computed on one thread with leaves of its own and the gradients are added in the order of the shards:
// bits depend on the number of shards and not on the number of threads.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "lm/safetensors.h"
#include "lm/train/thread_pool.h"

namespace lowbit::lm::train {

class Parameters {
 public:
  /// Copies the tensors into one buffer, in this order. REQUIRES: all of one floating-point dtype.
  explicit Parameters(const std::vector<std::pair<std::string, at::Tensor>>& initial);

  at::Tensor values;  ///< [N]; optimizers change it in place
  [[nodiscard]] int64_t size() const { return values.numel(); }
  /// The parameter called `name`, as a view into `flat` [N]. REQUIRES: there is one.
  [[nodiscard]] at::Tensor view(const at::Tensor& flat, std::string_view name) const;
  [[nodiscard]] NamedTensors views(const at::Tensor& flat) const;
  /// Where `name` begins in the buffer.
  [[nodiscard]] int64_t offset(std::string_view name) const;

 private:
  struct Place {
    int64_t offset;
    std::vector<int64_t> shape;
  };
  std::map<std::string, Place, std::less<>> places_;
};

/// A scalar to be summed over shards; undefined: this shard has nothing.
using ShardLoss = std::function<at::Tensor(int64_t shard, const NamedTensors& leaves)>;

class Gradients {
 public:
  /// Both must outlive this.
  Gradients(const Parameters& parameters, int64_t n_shards, ThreadPool& pool);

  /// Sum of the shards' losses; total() is then its gradient.
  double compute(const ShardLoss& loss);
  [[nodiscard]] at::Tensor& total() { return shards_.front().gradient; }
  [[nodiscard]] int64_t n_shards() const { return static_cast<int64_t>(shards_.size()); }

 private:
  struct Shard {
    at::Tensor gradient;  // [N]; what the leaves' gradients are views of
    NamedTensors leaves;
    double loss = 0;
  };
  ThreadPool& pool_;
  std::vector<Shard> shards_;
};

}  // namespace lowbit::lm::train
