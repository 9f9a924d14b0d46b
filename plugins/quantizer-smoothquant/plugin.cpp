// quantizer-smoothquant: SmoothQuant, Xiao et al. 2022. The method is plugins/lm/smooth.h; what differs from the
// authors' code stands in README.md.
#include "lm/smooth.h"

#include "lm/json_file.h"
#include "lm/quantized_model.h"
#include "lm/round_linears.h"
#include "lm/rtn.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params {
  std::int64_t weight_bits = 8;
  std::int64_t activation_bits = 8;
  double alpha = 0.5;
  std::string weight_strategy = "channel";
  std::string activation_strategy = "token";
  bool quantize_bmm_inputs = false;
  std::string scale_dtype = "float32";
  std::int64_t min_calibration_tokens = 256;
  std::int64_t batch_size = 8;
  std::string compute_dtype = "float32";
  std::string device = "cpu";
  double checkpoint_interval_s = 60;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::weight_bits, "weight_bits").range(2, 8).unit("bits").required().doc("bits of a stored code"),
        field(&Params::activation_bits, "activation_bits")
            .range(2, 16)
            .unit("bits")
            .required()
            .doc("bits of what linears read"),
        field(&Params::alpha, "alpha")
            .range(0, 1)
            .required()
            .doc("share of what is hard to round that moves from activations to weights; the authors use 0.5 for OPT, "
                 "0.85 for Llama 2 and 3, 0.8 for Mistral"),
        field(&Params::weight_strategy, "weight_strategy")
            .one_of("channel", "tensor")
            .doc("one scale for each output channel, or for a whole matrix"),
        field(&Params::activation_strategy, "activation_strategy")
            .one_of("token", "tensor")
            .doc("each token its own range as it comes, or one range for each input, fixed by the calibration windows"),
        field(&Params::quantize_bmm_inputs, "quantize_bmm_inputs")
            .doc("round the outputs of q, k and v too, each token within its own range, to activation_bits"),
        field(&Params::scale_dtype, "scale_dtype")
            .one_of("float16", "bfloat16", "float32")
            .doc("how scales are stored; they are rounded to it before any weight is rounded to them"),
        field(&Params::min_calibration_tokens, "min_calibration_tokens")
            .at_least(1)
            .unit("tokens")
            .doc("fewer are refused: maxima over a few tokens say little"),
        field(&Params::batch_size, "batch_size")
            .at_least(1)
            .unit("windows")
            .doc("calibration windows computed together"),
        field(&Params::compute_dtype, "compute_dtype")
            .one_of("float32", "bfloat16")
            .doc("precision of the forward pass over the calibration windows"),
        lm::device_field<Params>(),
        field(&Params::checkpoint_interval_s, "checkpoint_interval_s")
            .at_least(0)
            .unit("s")
            .no_effect_on_result()
            .doc("least time between checkpoints"));
  }

  [[nodiscard]] lm::GridOptions grid() const {
    return {.num_bits = static_cast<int>(weight_bits),
            .symmetric = true,
            .narrow_range = true,
            .scale_dtype = lm::scale_dtype(scale_dtype)};
  }
  [[nodiscard]] bool fixed_ranges() const { return activation_strategy == "tensor"; }
  [[nodiscard]] lm::ActivationRules rules(std::map<std::string, lm::Range> ranges) const {
    using Strategy = lm::ActivationGrid::Strategy;
    const lm::ActivationGrid by_token{.num_bits = static_cast<int>(activation_bits)};
    lm::ActivationRules rules{.inputs = by_token, .ranges = std::move(ranges)};
    if (fixed_ranges()) rules.inputs->strategy = Strategy::tensor;
    if (quantize_bmm_inputs) rules.qkv_outputs = by_token;
    return rules;
  }
};

void quantize(const Job& job, const Params& params) {
  const auto source = job.input("model").path;
  const auto config = lm::read_model_config(source);
  lm::check_can_smooth(config);
  const auto weights = lm::Checkpoint::open(source);
  const auto windows = lm::read_token_batches(job.input("calibration").path);
  lm::check_made_for(windows, source, config.vocab_size);
  const lm::Model model(config, weights, lm::compute_options(params), lm::Model::Blocks::streaming);
  const lm::GridOptions grid = params.grid();

  lm::QuantizedModelWriter out(source, job.output("quantized"), weights, config,
                               {.method = "smoothquant", .grid = grid});
  lm::Calibration calibration(model, windows,
                              {.batch_size = params.batch_size, .tick = [&] { job.stop_if_cancelled(); }});
  calibration.require_tokens(params.min_calibration_tokens);
  std::map<std::string, lm::Range> ranges;
  std::optional<lm::Hessians> hessians;
  if (job.has_input("hessians")) {
    hessians = lm::Hessians::open(job.input("hessians").path, config, job.input("model").digest);
  }
  lm::LayerLosses losses;
  int64_t first = 0;
  if (const auto saved = job.resume_from()) {
    first = out.restore(*saved);
    calibration.restore(lm::SafetensorsFile::open(*saved / "hidden.safetensors"));
    ranges = lm::read_activation_rules(lm::read_json_file(*saved / "rules.json"), "rules.json").ranges;
    const auto before = lm::read_json_file(*saved / "losses.json");
    losses = {.sum = before.at("sum").get<double>(), .n = before.at("n").get<std::uint64_t>()};
    job.info("going on at block " + std::to_string(first));
  }
  lm::CheckpointClock clock(params.checkpoint_interval_s);
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (int64_t block = first; block < config.n_blocks; ++block) {
    job.tick(static_cast<std::uint64_t>(block), n_blocks, "blocks");
    const lm::BlockWeights stored = lm::load_block(config, weights, block, model.options().dtype(at::kFloat));
    std::map<lm::Linear, at::Tensor> scales;
    const lm::BlockWeights w = lm::smooth_block(
        config, model.block(block), stored, block, calibration,
        {.alpha = params.alpha, .ranges = params.fixed_ranges() ? &ranges : nullptr, .scales = &scales});
    for (const lm::Linear linear : lm::linears(config)) {
      job.stop_if_cancelled();
      const lm::QuantizedMatrix matrix = lm::at_place(lm::linear_name(config, block, linear), [&] {
        return params.weight_strategy == "tensor" ? lm::quantize_rtn_per_tensor(w[linear], grid)
                                                  : lm::quantize_rtn(w[linear], grid);
      });
      out.add(block, linear, matrix, w[linear]);
      if (!hessians) continue;
      const lm::Linear group = lm::input_group(config, linear);
      at::Tensor error = w[linear] - lm::dequantize(matrix);
      if (const auto s = scales.find(group); s != scales.end()) error = error / s->second;
      losses.add(job, lm::relative_loss(error, stored[linear], hessians->moments(block, group).to(error.device())));
    }
    out.finish_block(block, lm::norms_of(config, w, block));
    if (clock.due() && block + 1 < config.n_blocks) {
      job.checkpoint(static_cast<std::uint64_t>(block) + 1, [&](const std::filesystem::path& directory) {
        out.save(directory);
        lm::write_safetensors(directory / "hidden.safetensors", calibration.save());
        lm::write_json_file(directory / "rules.json", lm::to_json(params.rules(ranges)));
        lm::write_json_file(directory / "losses.json", {{"sum", losses.sum}, {"n", losses.n}});
      });
      clock.reset();
    }
  }
  out.set_activations(params.rules(std::move(ranges)));
  lm::report(job, out.finish(), grid);
  losses.report(job);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.smoothquant", LB_QUANTIZER)
                  .version("1")
                  .summary("Moves outliers of activations into weights, then rounds both.")
                  .preload()
                  .cuda()
                  .resumable()
                  .input("model", "model/1", "the model to quantize")
                  .input("calibration", "token-batches/1", "text that the largest activations are taken from")
                  .input("hessians", "hessians/1",
                         "second moments of its inputs: layer losses are reported then, nothing else changes",
                         LB_PORT_OPTIONAL)
                  .output("quantized", "quantized-model/1", "codes and scales, and how activations are rounded")
                  .run<lm::stage<Params, quantize>>())
