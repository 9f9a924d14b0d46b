// quantizer-gptq: GPTQ, Frantar et al. 2022. The method is gptq_model.h and plugins/lm/gptq.h; what differs from the
// authors' code stands in README.md.
#include "gptq_model.h"
#include "lm/json_file.h"
#include "lm/quantized_model.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params : lm::GridParams {
  double dampening_frac = 0.01;
  std::string actorder = "none";
  bool static_groups = false;
  std::int64_t batch_size = 8;
  std::string compute_dtype = "float32";
  double checkpoint_interval_s = 60;

  static auto fields() {
    return std::tuple_cat(
        lm::grid_fields<Params>(),
        lowbit::fields<Params>(
            field(&Params::dampening_frac, "dampening_frac")
                .at_least(0)
                .doc("added to the diagonal of the second moments, relative to its mean"),
            field(&Params::actorder, "actorder")
                .one_of("none", "static", "group")
                .doc("column order: natural; strong inputs first on grids of natural groups; strong inputs first with "
                     "groups formed in that order"),
            field(&Params::static_groups, "static_groups")
                .doc("grids from the weights before any feedback; actorder static implies it"),
            field(&Params::batch_size, "batch_size")
                .at_least(1)
                .unit("windows")
                .doc("calibration windows computed together"),
            field(&Params::compute_dtype, "compute_dtype")
                .one_of("float32", "bfloat16")
                .doc("precision of the forward pass over the calibration windows"),
            field(&Params::checkpoint_interval_s, "checkpoint_interval_s")
                .at_least(0)
                .unit("s")
                .no_effect_on_result()
                .doc("least time between checkpoints")));
  }

  [[nodiscard]] lm::GptqOptions options() const {
    using ActOrder = lm::GptqOptions::ActOrder;
    return {.grid = grid(),
            .dampening_frac = dampening_frac,
            .actorder = actorder == "static"  ? ActOrder::fixed
                        : actorder == "group" ? ActOrder::grouped
                                              : ActOrder::none,
            .static_groups = static_groups};
  }
};

/// Sums over linears; survives a checkpoint.
struct Tally {
  double layer_loss = 0;
  int64_t n_linears = 0;
  int64_t n_dead = 0;
};

void check(const Job& job, const Params& params) {
  if (params.static_groups && params.actorder == "group") {
    throw StageError(LB_BAD_PARAM, {.what = "static_groups and actorder group exclude each other",
                                    .where = std::string(job.stage_id()),
                                    .why = "groups cannot be formed in activation order and keep the natural columns",
                                    .fix = "use actorder static, or static_groups false"});
  }
}

void quantize(const Job& job, const Params& params) {
  const auto source = job.input("model").path;
  const auto config = lm::read_model_config(source);
  const auto weights = lm::Checkpoint::open(source);
  const auto windows = lm::read_token_batches(job.input("calibration").path);
  lm::check_made_for(windows, source, config.vocab_size);
  const lm::Model model(config, weights, lm::compute_dtype(params.compute_dtype), lm::Model::Blocks::streaming);
  const lm::GptqOptions options = params.options();

  lm::QuantizedModelWriter out(source, job.output("quantized"), weights, config,
                               {.method = "gptq", .grid = options.grid});
  lm::Calibration calibration(model, windows,
                              {.batch_size = params.batch_size, .tick = [&] { job.stop_if_cancelled(); }});
  Tally tally;
  int64_t first = 0;
  if (const auto saved = job.resume_from()) {
    first = out.restore(*saved);
    calibration.restore(lm::SafetensorsFile::open(*saved / "hidden.safetensors"));
    const auto json = lm::read_json_file(*saved / "tally.json");
    tally = {json.at("layer_loss").get<double>(), json.at("n_linears").get<int64_t>(),
             json.at("n_dead").get<int64_t>()};
    job.info("going on at block " + std::to_string(first));
  }
  lm::CheckpointClock clock(params.checkpoint_interval_s);
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (int64_t block = first; block < config.n_blocks; ++block) {
    job.tick(static_cast<std::uint64_t>(block), n_blocks, "blocks");
    lm::BlockWeights w = model.block(block);
    gptq::quantize_block(config, w, block, calibration, options, [&](const gptq::QuantizedLinear& done) {
      job.stop_if_cancelled();
      out.add(block, done.linear, done.result.matrix, done.original);
      tally.layer_loss += done.result.relative_loss;
      tally.n_dead += done.result.n_dead;
      job.curve("weights/layer_loss", done.result.relative_loss, "ratio", tally.n_linears++);
    });
    out.finish_block(block);
    if (clock.due() && block + 1 < config.n_blocks) {
      job.checkpoint(static_cast<std::uint64_t>(block) + 1, [&](const std::filesystem::path& directory) {
        out.save(directory);
        lm::write_safetensors(directory / "hidden.safetensors", calibration.save());
        lm::write_json_file(
            directory / "tally.json",
            {{"layer_loss", tally.layer_loss}, {"n_linears", tally.n_linears}, {"n_dead", tally.n_dead}});
      });
      clock.reset();
    }
  }
  lm::report(job, out.finish(), options.grid);
  job.metric("weights/layer_loss", tally.layer_loss / static_cast<double>(tally.n_linears), "ratio",
             {.count = static_cast<std::uint64_t>(tally.n_linears)});
  job.metric("weights/dead_columns", static_cast<double>(tally.n_dead), "columns");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.gptq", LB_QUANTIZER)
                  .version("2")
                  .summary("Rounds weights column by column, spreading each error by the inputs' second moments.")
                  .preload()
                  .resumable()
                  .input("model", "model/1", "the model to quantize")
                  .input("calibration", "token-batches/1", "text that the inputs' second moments are taken from")
                  .output("quantized", "quantized-model/1", "codes, scales and zero points")
                  .check<check>()
                  .run<lm::stage<Params, quantize>>())
