// The run of a quantizer that rounds each linear on its own: no linear's codes depend on another's.
#pragma once

#include <cstdint>
#include <optional>

#include "lm/hessian.h"
#include "lm/hessian_store.h"
#include "lm/quantized_model.h"
#include "lm/stage.h"

namespace lowbit::lm {

/// What second moments say of each rounded linear: points of the curve weights/layer_loss, and their mean.
struct LayerLosses {
  double sum = 0;
  std::uint64_t n = 0;

  void add(const Job& job, double loss) {
    job.curve("weights/layer_loss", loss, "ratio", static_cast<std::int64_t>(n++));
    sum += loss;
  }
  /// Nothing when there was none.
  void report(const Job& job) const {
    if (n > 0) job.metric("weights/layer_loss", sum / static_cast<double>(n), "ratio", {.count = n});
  }
};

/// Writes all blocks of the model to `out`. `round`: fp32 [m, n] -> QuantizedMatrix or Nf4Matrix. Where the stage's
/// input `hessians` is bound, weights/layer_loss is reported. Throws Error with the linear's name; StageError.
template <class Round>
void round_linears(const Job& job, const ModelConfig& config, const WeightSource& weights, QuantizedModelWriter& out,
                   const Round& round) {
  std::optional<Hessians> hessians;
  if (job.has_input("hessians"))
    hessians = Hessians::open(job.input("hessians").path, config, job.input("model").digest);
  LayerLosses losses;
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (std::uint64_t block = 0; block < n_blocks; ++block) {
    const auto index = static_cast<std::int64_t>(block);
    const BlockWeights w = load_block(config, weights, index, at::kFloat);
    for (const Linear linear : linears(config)) {
      job.tick(block, n_blocks, "blocks");
      const auto matrix = at_place(linear_name(config, index, linear), [&] { return round(w[linear]); });
      out.add(index, linear, matrix, w[linear]);
      if (hessians) {
        const at::Tensor moments = hessians->moments(index, input_group(config, linear));
        losses.add(job, relative_loss(w[linear] - dequantize(matrix), w[linear], moments));
      }
    }
    out.finish_block(index);
  }
  losses.report(job);
}

}  // namespace lowbit::lm
