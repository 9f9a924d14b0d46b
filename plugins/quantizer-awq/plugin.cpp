// quantizer-awq: AWQ, Lin et al. 2023. The method is awq_model.h and plugins/lm/awq.h; what differs from the authors'
// code stands in README.md.
#include "awq_model.h"
#include "lm/fold.h"
#include "lm/json_file.h"
#include "lm/quantized_model.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params : lm::GridParams {
  std::int64_t n_grid = 20;
  bool duo_scaling = false;
  bool clip = true;
  std::int64_t clip_tokens = 512;
  std::string gqa_vo = "skip";
  std::string propagate = "full_precision";
  std::int64_t batch_size = 8;
  std::string compute_dtype = "float32";
  std::string device = "cpu";
  double checkpoint_interval_s = 60;

  static auto fields() {
    return std::tuple_cat(
        lm::grid_fields<Params>(),
        lowbit::fields<Params>(
            field(&Params::n_grid, "n_grid")
                .range(1, 1000)
                .unit("ratios")
                .doc("exponents tried for the scales, i / n_grid; 1: none but 0, nothing is scaled"),
            field(&Params::duo_scaling, "duo_scaling")
                .doc("scales from the sizes of inputs and weights; off: of inputs alone, as the paper has it"),
            field(&Params::clip, "clip")
                .doc("narrow the range of each group of weights, but for q and k, where the output gains by it"),
            field(&Params::clip_tokens, "clip_tokens")
                .at_least(1)
                .unit("tokens")
                .doc("calibration tokens that the search for ranges looks at"),
            field(&Params::gqa_vo, "gqa_vo")
                .one_of("skip", "tied")
                .doc("where query heads share value heads: leave the inputs of o unscaled, or one scale for all that "
                     "share"),
            field(&Params::propagate, "propagate")
                .one_of("full_precision", "quantized")
                .doc("which weights the windows pass on their way to the next block"),
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
                .doc("least time between checkpoints")));
  }

  [[nodiscard]] awq::Options options(std::function<void()> tick) const {
    lm::GridOptions own_grid = grid();
    own_grid.include_zero = false;
    return {.grid = own_grid,
            .n_grid = n_grid,
            .duo_scaling = duo_scaling,
            .clip = clip,
            .clip_tokens = clip_tokens,
            .tied = gqa_vo == "tied",
            .propagate_quantized = propagate == "quantized",
            .tick = std::move(tick)};
  }
};

/// Sums over linears and groups; survives a checkpoint.
struct Tally {
  double layer_loss = 0;
  int64_t n_linears = 0;
  int64_t n_unscaled = 0;                 // groups
  int64_t n_searched = 0, n_clipped = 0;  // ranges
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Tally, layer_loss, n_linears, n_unscaled, n_searched, n_clipped)

void quantize(const Job& job, const Params& params) {
  const auto source = job.input("model").path;
  const auto config = lm::read_model_config(source);
  const auto weights = lm::Checkpoint::open(source);
  const auto windows = lm::read_token_batches(job.input("calibration").path);
  lm::check_made_for(windows, source, config.vocab_size);
  const lm::Model model(config, weights, lm::compute_options(params), lm::Model::Blocks::streaming);
  const auto tick = [&] { job.stop_if_cancelled(); };
  const awq::Options options = params.options(tick);

  lm::QuantizedModelWriter out(source, job.output("quantized"), weights, config,
                               {.method = "awq", .grid = options.grid});
  lm::Calibration calibration(model, windows, {.batch_size = params.batch_size, .tick = tick});
  Tally tally;
  int64_t first = 0;
  if (const auto saved = job.resume_from()) {
    first = out.restore(*saved);
    calibration.restore(lm::SafetensorsFile::open(*saved / "hidden.safetensors"));
    tally = lm::read_json_file(*saved / "tally.json").get<Tally>();
    job.info("going on at block " + std::to_string(first));
  }
  lm::CheckpointClock clock(params.checkpoint_interval_s);
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (int64_t block = first; block < config.n_blocks; ++block) {
    job.tick(static_cast<std::uint64_t>(block), n_blocks, "blocks");
    lm::BlockWeights w = lm::load_block(config, weights, block, model.options().dtype(at::kFloat));
    const lm::BlockWeights original = w;
    const auto scales =
        awq::quantize_block(config, w, block, calibration, options, [&](const awq::QuantizedLinear& done) {
          tick();
          out.add(block, done.linear, done.matrix, done.folded);
          tally.layer_loss += done.relative_loss;
          if (done.clip_ratio.defined()) {
            tally.n_searched += done.clip_ratio.numel();
            tally.n_clipped += (done.clip_ratio < 1).sum().item<int64_t>();
          }
          job.curve("weights/layer_loss", done.relative_loss, "ratio", tally.n_linears++);
        });
    // Step 4 b + i is group i of block b (inputs of q k v, of o, of the MLP, of down), so that a group without a scale
    // leaves a gap.
    constexpr int64_t kGroups = 4;
    int64_t i = 0;
    for (const lm::Linear linear : lm::linears(config)) {
      if (lm::input_group(config, linear) != linear) continue;
      const auto choice = scales.find(linear);
      if (choice == scales.end()) {
        ++tally.n_unscaled;
      } else {
        job.curve("weights/awq_ratio", choice->second.ratio, "ratio", kGroups * block + i);
      }
      ++i;
    }
    out.finish_block(block, lm::folded_vectors(config, block, original, w));
    if (clock.due() && block + 1 < config.n_blocks) {
      job.checkpoint(static_cast<std::uint64_t>(block) + 1, [&](const std::filesystem::path& directory) {
        out.save(directory);
        lm::write_safetensors(directory / "hidden.safetensors", calibration.save());
        lm::write_json_file(directory / "tally.json", tally);
      });
      clock.reset();
    }
  }
  lm::report(job, out.finish(), options.grid);
  job.metric("weights/layer_loss", tally.layer_loss / static_cast<double>(tally.n_linears), "ratio",
             {.count = static_cast<std::uint64_t>(tally.n_linears)});
  job.metric("weights/unscaled_groups", static_cast<double>(tally.n_unscaled), "groups");
  if (tally.n_searched > 0) {
    job.metric("weights/clipped_ranges", static_cast<double>(tally.n_clipped) / static_cast<double>(tally.n_searched),
               "fraction", {.count = static_cast<std::uint64_t>(tally.n_searched)});
  }
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.awq", LB_QUANTIZER)
                  .version("1")
                  .summary("Scales input channels by what they carry, narrows ranges, then rounds to nearest.")
                  .preload()
                  .cuda()
                  .resumable()
                  .input("model", "model/1", "the model to quantize")
                  .input("calibration", "token-batches/1", "text whose activations the scales are searched on")
                  .output("quantized", "quantized-model/1", "codes, scales and zero points")
                  .run<lm::stage<Params, quantize>>())
