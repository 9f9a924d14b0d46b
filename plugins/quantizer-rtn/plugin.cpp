// quantizer-rtn: every weight to the nearest point of its group's grid. The method is plugins/lm/rtn.h.
#include <optional>

#include "lm/error.h"
#include "lm/hessian.h"
#include "lm/hessian_store.h"
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
  std::optional<lm::Hessians> hessians;
  if (job.has_input("hessians")) hessians = lm::Hessians::open(job.input("hessians").path, config);
  double layer_loss = 0;
  std::uint64_t n_linears = 0;
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (std::uint64_t block = 0; block < n_blocks; ++block) {
    const auto index = static_cast<int64_t>(block);
    const lm::BlockWeights w = lm::load_block(config, weights, index, at::kFloat);
    for (const lm::Linear linear : lm::linears(config)) {
      job.tick(block, n_blocks, "blocks");
      const lm::QuantizedMatrix matrix =
          lm::at_place(lm::linear_name(config, index, linear), [&] { return lm::quantize_rtn(w[linear], grid); });
      out.add(index, linear, matrix, w[linear]);
      if (hessians) {
        const at::Tensor moments = hessians->moments(index, lm::input_group(config, linear));
        const double loss = lm::relative_loss(w[linear] - lm::dequantize(matrix), w[linear], moments);
        job.curve("weights/layer_loss", loss, "ratio", static_cast<std::int64_t>(n_linears++));
        layer_loss += loss;
      }
    }
    out.finish_block(index);
  }
  lm::report(job, out.finish(), grid);
  if (hessians) {
    job.metric("weights/layer_loss", layer_loss / static_cast<double>(n_linears), "ratio", {.count = n_linears});
  }
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
