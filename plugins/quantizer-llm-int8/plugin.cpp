// quantizer-llm-int8: LLM.int8(), Dettmers et al. 2022. Weights are plugins/lm/rtn.h on a narrow grid, activations
// round_but_outliers() of plugins/lm/activations.h; what differs from the authors' code stands in README.md.
#include "lm/round_linears.h"
#include "lm/rtn.h"

using namespace lowbit;

namespace {

struct Params {
  double outlier_threshold = 6;
  std::string scale_dtype = "float32";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::outlier_threshold, "outlier_threshold")
            .above(0)
            .doc("input columns in which a sequence has a larger absolute value are not rounded"),
        field(&Params::scale_dtype, "scale_dtype")
            .one_of("float16", "bfloat16", "float32")
            .doc("how scales are stored; they are rounded to it before any weight is rounded to them"));
  }
};

void quantize(const Job& job, const Params& params) {
  const auto source = job.input("model").path;
  const auto config = lm::read_model_config(source);
  const auto weights = lm::Checkpoint::open(source);
  lm::check_tensors(config, weights);
  const lm::GridOptions grid{
      .num_bits = 8, .symmetric = true, .narrow_range = true, .scale_dtype = lm::scale_dtype(params.scale_dtype)};
  lm::QuantizedModelWriter out(
      source, job.output("quantized"), weights, config,
      {.method = "llm-int8",
       .grid = grid,
       .activations = {.inputs = lm::ActivationGrid{.num_bits = 8}, .outlier_threshold = params.outlier_threshold}});
  lm::round_linears(job, config, weights, out, [&](const at::Tensor& w) { return lm::quantize_rtn(w, grid); });
  lm::report(job, out.finish(), grid);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.llm-int8", LB_QUANTIZER)
                  .version("1")
                  .summary("Weights and inputs in 8 bits, but for input columns that hold outliers.")
                  .preload()
                  .input("model", "model/1", "the model to quantize")
                  .input("hessians", "hessians/1", "second moments of its inputs: layer losses are reported then",
                         LB_PORT_OPTIONAL)
                  .output("quantized", "quantized-model/1", "codes and scales, and how activations are rounded")
                  .run<lm::stage<Params, quantize>>())
