// quantizer-nf4: NormalFloat4 with double quantization, QLoRA's way to store a base model. The method is
// plugins/lm/nf4.h.
#include "lm/nf4.h"

#include "lm/round_linears.h"

using namespace lowbit;

namespace {

struct Params {
  std::int64_t block_size = 64;
  bool double_quant = true;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::block_size, "block_size")
            .one_of(32, 64, 128, 256, 512, 1024, 2048, 4096)
            .unit("weights")
            .doc("consecutive weights of a matrix, row after row, that share a scale"),
        field(&Params::double_quant, "double_quant").doc("the scales are rounded too: 8 bits each, 32 for every 256"));
  }
};

void quantize(const Job& job, const Params& params) {
  const auto source = job.input("model").path;
  const auto config = lm::read_model_config(source);
  const auto weights = lm::Checkpoint::open(source);
  lm::check_tensors(config, weights);
  const lm::Nf4Options options{.block_size = params.block_size, .double_quant = params.double_quant};
  lm::QuantizedModelWriter out(
      source, job.output("quantized"), weights, config,
      {.method = "nf4", .grid = {.num_bits = 4, .group_size = options.block_size, .symmetric = true}});
  lm::round_linears(job, config, weights, out, [&](const at::Tensor& w) { return lm::quantize_nf4(w, options); });
  lm::report(job, out.finish(), {.num_bits = 4});
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.nf4", LB_QUANTIZER)
                  .version("1")
                  .summary("Stores every weight as one of 16 quantiles of the normal distribution, times its block's "
                           "largest.")
                  .preload()
                  .input("model", "model/1", "the model to quantize")
                  .input("hessians", "hessians/1", "second moments of its inputs: layer losses are reported then",
                         LB_PORT_OPTIONAL)
                  .output("quantized", "quantized-model/1", "codes and scales, the scales rounded too")
                  .run<lm::stage<Params, quantize>>())
