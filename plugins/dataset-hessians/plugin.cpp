// dataset-hessians: second moments of what the linears of a model read, for every quantizer that needs them.
#include <algorithm>

#include "lm/calibration.h"
#include "lm/hessian_store.h"
#include "lm/json_file.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params {
  std::int64_t batch_size = 8;
  std::int64_t min_calibration_tokens = 256;
  std::string compute_dtype = "float32";
  std::string device = "cpu";
  double checkpoint_interval_s = 60;

  static auto fields() {
    return lowbit::fields<Params>(field(&Params::batch_size, "batch_size")
                                      .at_least(1)
                                      .unit("windows")
                                      .doc("calibration windows computed together"),
                                  field(&Params::min_calibration_tokens, "min_calibration_tokens")
                                      .at_least(1)
                                      .unit("tokens")
                                      .doc("fewer are refused: they say little of a model's inputs"),
                                  field(&Params::compute_dtype, "compute_dtype")
                                      .one_of("float32", "bfloat16")
                                      .doc("precision of the forward pass; sums are fp32"),
                                  lm::device_field<Params>(),
                                  field(&Params::checkpoint_interval_s, "checkpoint_interval_s")
                                      .at_least(0)
                                      .unit("s")
                                      .no_effect_on_result()
                                      .doc("least time between checkpoints"));
  }
};

void collect(const Job& job, const Params& params) {
  const Input input = job.input("model");
  const auto [source, weights] = lm::open_model(input);
  const auto config = lm::read_model_config(source);
  const auto windows = lm::read_token_batches(job.input("calibration").path);
  lm::check_made_for(windows, source, config.vocab_size);
  const lm::Model model(config, *weights, lm::compute_options(params), lm::Model::Blocks::streaming);
  lm::Calibration calibration(model, windows,
                              {.batch_size = params.batch_size, .tick = [&] { job.stop_if_cancelled(); }});
  lm::HessianWriter out(job.output("hessians"), config, input.digest);
  int64_t first = 0;
  if (const auto saved = job.resume_from()) {
    first = out.restore(*saved);
    calibration.restore(lm::SafetensorsFile::open(*saved / "hidden.safetensors"));
    job.info("going on at block " + std::to_string(first));
  }
  calibration.require_tokens(params.min_calibration_tokens);
  lm::warn_of_few_tokens(job, config, calibration.n_tokens());
  lm::CheckpointClock clock(params.checkpoint_interval_s);
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (int64_t block = first; block < config.n_blocks; ++block) {
    job.tick(static_cast<std::uint64_t>(block), n_blocks, "blocks");
    out.add(block, calibration.pass_block(model.block(block)));
    if (clock.due() && block + 1 < config.n_blocks) {
      job.checkpoint(static_cast<std::uint64_t>(block) + 1, [&](const std::filesystem::path& directory) {
        out.save(directory);
        lm::write_safetensors(directory / "hidden.safetensors", calibration.save());
      });
      clock.reset();
    }
  }
  out.finish(calibration.n_tokens());
  job.metric("data/n_tokens", static_cast<double>(calibration.n_tokens()), "tokens");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.hessians", LB_DATASET)
                  .version("1")
                  .summary("Second moments of the inputs of all linears, over calibration windows.")
                  .preload()
                  .cuda()
                  .resumable()
                  .input("model", lm::kModelTypes, "the model whose inputs are observed, as it is")
                  .input("calibration", "token-batches/1", "text, cut with the model's own tokenizer")
                  .output("hessians", "hessians/1", "2 / N times the sum of x x^T, by group of linears")
                  .run<lm::stage<Params, collect>>())
