// quantizer-rtn: every weight to the nearest point of its group's grid. The method is plugins/lm/rtn.h.
#include "lm/quantized_model.h"
#include "lm/rtn.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params : lm::GridParams {
  static auto fields() { return lm::grid_fields<Params>(); }
};

void quantize(const Job& job, const Params& params) {
  const auto source = job.input("model").path;
  const auto config = lm::read_model_config(source);
  const auto weights = lm::Checkpoint::open(source);
  lm::check_tensors(config, weights);
  const lm::GridOptions grid = params.grid();
  lm::QuantizedModelWriter out(source, job.output("quantized"), weights, config, {.method = "rtn", .grid = grid});
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (std::uint64_t block = 0; block < n_blocks; ++block) {
    const auto index = static_cast<int64_t>(block);
    const lm::BlockWeights w = lm::load_block(config, weights, index, at::kFloat);
    for (const lm::Linear linear : lm::linears(config)) {
      job.tick(block, n_blocks, "blocks");
      out.add(index, linear, lm::quantize_rtn(w[linear], grid), w[linear]);
    }
    out.finish_block(index);
  }
  lm::report(job, out.finish(), grid);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.rtn", LB_QUANTIZER)
                  .version("1")
                  .summary("Rounds every weight to the nearest point of its group's grid.")
                  .preload()
                  .input("model", "model/1", "the model to quantize")
                  .output("quantized", "quantized-model/1", "codes, scales and zero points")
                  .run<lm::stage<Params, quantize>>())
