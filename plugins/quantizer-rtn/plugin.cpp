// quantizer-rtn: every weight to the nearest point of its group's grid. The method is plugins/lm/rtn.h.
#include "lm/round_linears.h"
#include "lm/rtn.h"

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
  lm::round_linears(job, config, weights, out, [&](const at::Tensor& w) { return lm::quantize_rtn(w, grid); });
  lm::report(job, out.finish(), grid);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.rtn", LB_QUANTIZER)
                  .version("1")
                  .summary("Rounds every weight to the nearest point of its group's grid.")
                  .preload()
                  .input("model", "model/1", "the model to quantize")
                  .input("hessians", "hessians/1", "second moments of its inputs: layer losses are reported then",
                         LB_PORT_OPTIONAL)
                  .output("quantized", "quantized-model/1", "codes, scales and zero points")
                  .run<lm::stage<Params, quantize>>())
