// quantizer-gptq: GPTQ, Frantar et al. 2022. The method is gptq_model.h and plugins/lm/gptq.h; what differs from the
// authors' code stands in README.md.
#include <optional>

#include "gptq_model.h"
#include "lm/hessian_store.h"
#include "lm/json_file.h"
#include "lm/quantized_model.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params : lm::GridParams {
  double dampening_frac = 0.01;
  std::string actorder = "none";
  bool static_groups = false;
  bool true_sequential = true;
  double max_dampening_frac = 1;
  std::string fallback = "none";
  std::int64_t min_calibration_tokens = 256;
  std::int64_t batch_size = 8;
  std::string compute_dtype = "float32";
  std::string device = "cpu";
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
            field(&Params::true_sequential, "true_sequential")
                .doc("each linear is calibrated on inputs that passed the quantized linears before it; false: all of a "
                     "block on its inputs as they were. Without effect when `hessians` is bound"),
            field(&Params::max_dampening_frac, "max_dampening_frac")
                .at_least(0)
                .doc("where second moments cannot be factorized, dampening_frac is doubled up to this, and counted"),
            field(&Params::fallback, "fallback")
                .one_of("none", "rtn")
                .doc("a linear whose moments no dampening helps: an error, or rounded to nearest and counted"),
            field(&Params::min_calibration_tokens, "min_calibration_tokens")
                .at_least(1)
                .unit("tokens")
                .doc("fewer are refused, also where `hessians` were made of them"),
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

  [[nodiscard]] lm::GptqOptions options() const {
    using ActOrder = lm::GptqOptions::ActOrder;
    return {.grid = grid(),
            .dampening_frac = dampening_frac,
            .actorder = actorder == "static"  ? ActOrder::fixed
                        : actorder == "group" ? ActOrder::grouped
                                              : ActOrder::none,
            .static_groups = static_groups,
            .max_dampening_frac = max_dampening_frac,
            .fallback = fallback == "rtn" ? lm::GptqOptions::Fallback::rtn : lm::GptqOptions::Fallback::none};
  }
};

/// Sums over linears; survives a checkpoint.
struct Tally {
  double layer_loss = 0;
  int64_t n_linears = 0;
  int64_t n_dead = 0;
  int64_t n_raised = 0;  ///< linears that needed more dampening than was asked for
  int64_t n_rtn = 0;     ///< linears that were rounded to nearest instead

  void add(const lm::GptqResult& result, double dampening_frac) {
    layer_loss += result.relative_loss;
    n_dead += result.n_dead;
    n_raised += static_cast<int64_t>(!result.is_rtn && result.dampening_frac > dampening_frac);
    n_rtn += static_cast<int64_t>(result.is_rtn);
    ++n_linears;
  }
  [[nodiscard]] nlohmann::json json() const {
    return {{"layer_loss", layer_loss},
            {"n_linears", n_linears},
            {"n_dead", n_dead},
            {"n_raised", n_raised},
            {"n_rtn", n_rtn}};
  }
  static Tally of(const nlohmann::json& json) {
    const auto n = [&](const char* key) { return json.at(key).get<int64_t>(); };
    return {json.at("layer_loss").get<double>(), n("n_linears"), n("n_dead"), n("n_raised"), n("n_rtn")};
  }
};

void check(const Job& job, const Params& params) {
  if (params.static_groups && params.actorder == "group") {
    throw StageError(LB_BAD_PARAM, {.what = "static_groups and actorder group exclude each other",
                                    .where = std::string(job.stage_id()),
                                    .why = "groups cannot be formed in activation order and keep the natural columns",
                                    .fix = "use actorder static, or static_groups false"});
  }
  if (job.has_input("calibration") == job.has_input("hessians")) {
    throw StageError(LB_BAD_PARAM,
                     {.what = "one of the inputs calibration and hessians is needed",
                      .where = std::string(job.stage_id()),
                      .why = job.has_input("hessians") ? "both are bound, and would say two things about the inputs"
                                                       : "neither is bound",
                      .fix = "bind calibration to token windows, or hessians to the output of lowbit.hessians"});
  }
}

/// What the blocks are quantized by: windows that go along, or moments that are known.
class Source {
 public:
  Source(const Job& job, const Params& params, const lm::Model& model, const std::filesystem::path& directory)
      : config_(model.config()), true_sequential_(params.true_sequential) {
    if (job.has_input("hessians")) {
      hessians_ = lm::Hessians::open(job.input("hessians").path, config_, std::string(job.input("model").digest));
      lm::require_tokens(hessians_->n_tokens(), params.min_calibration_tokens);
      lm::warn_of_few_tokens(job, config_, hessians_->n_tokens());
      return;
    }
    const auto windows = lm::read_token_batches(job.input("calibration").path);
    lm::check_made_for(windows, directory, config_.vocab_size);
    calibration_.emplace(model, windows, lm::Calibration::Options{.batch_size = params.batch_size, .tick = [&job] {
                                                                    job.stop_if_cancelled();
                                                                  }});
    calibration_->require_tokens(params.min_calibration_tokens);
    lm::warn_of_few_tokens(job, config_, calibration_->n_tokens());
  }

  void quantize(const lm::Model& model, const lm::BlockWeights& stored, int64_t block, const lm::GptqOptions& options,
                const gptq::Done& done) {
    if (calibration_) {
      lm::BlockWeights w = model.dtype() == at::kFloat ? stored : model.block(block);
      gptq::quantize_block(config_, w, stored, block, *calibration_, options, true_sequential_, done);
      return;
    }
    const auto moments = [&](lm::Linear group) { return hessians_->moments(block, group).to(stored[group].device()); };
    gptq::quantize_block(config_, stored, block, moments, options, done);
  }
  void save(const std::filesystem::path& directory) const {
    if (calibration_) lm::write_safetensors(directory / "hidden.safetensors", calibration_->save());
  }
  void restore(const std::filesystem::path& directory) {
    if (calibration_) calibration_->restore(lm::SafetensorsFile::open(directory / "hidden.safetensors"));
  }

 private:
  const lm::ModelConfig& config_;
  bool true_sequential_;
  std::optional<lm::Hessians> hessians_;
  std::optional<lm::Calibration> calibration_;
};

void quantize(const Job& job, const Params& params) {
  const auto directory = job.input("model").path;
  const auto config = lm::read_model_config(directory);
  const auto weights = lm::Checkpoint::open(directory);
  const lm::Model model(config, weights, lm::compute_options(params), lm::Model::Blocks::streaming);
  const lm::GptqOptions options = params.options();
  Source source(job, params, model, directory);

  lm::QuantizedModelWriter out(directory, job.output("quantized"), weights, config,
                               {.method = "gptq", .grid = options.grid, .activations = {}});
  Tally tally;
  int64_t first = 0;
  if (const auto saved = job.resume_from()) {
    first = out.restore(*saved);
    source.restore(*saved);
    tally = Tally::of(lm::read_json_file(*saved / "tally.json"));
    job.info("going on at block " + std::to_string(first));
  }
  lm::CheckpointClock clock(params.checkpoint_interval_s);
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (int64_t block = first; block < config.n_blocks; ++block) {
    job.tick(static_cast<std::uint64_t>(block), n_blocks, "blocks");
    const lm::BlockWeights stored = lm::load_block(config, weights, block, model.options().dtype(at::kFloat));
    source.quantize(model, stored, block, options, [&](const gptq::QuantizedLinear& done) {
      job.stop_if_cancelled();
      out.add(block, done.linear, done.result.matrix, done.original);
      const std::string name = lm::linear_name(config, block, done.linear);
      if (done.result.is_rtn) {
        job.warn(name + ": no dampening lets its second moments be factorized; rounded to nearest");
      } else if (done.result.dampening_frac > options.dampening_frac) {
        job.warn(name + ": dampening raised to " + std::to_string(done.result.dampening_frac));
      }
      job.curve("weights/layer_loss", done.result.relative_loss, "ratio", tally.n_linears);
      tally.add(done.result, options.dampening_frac);
    });
    out.finish_block(block);
    if (clock.due() && block + 1 < config.n_blocks) {
      job.checkpoint(static_cast<std::uint64_t>(block) + 1, [&](const std::filesystem::path& to) {
        out.save(to);
        source.save(to);
        lm::write_json_file(to / "tally.json", tally.json());
      });
      clock.reset();
    }
  }
  lm::report(job, out.finish(), options.grid);
  job.metric("weights/layer_loss", tally.layer_loss / static_cast<double>(tally.n_linears), "ratio",
             {.count = static_cast<std::uint64_t>(tally.n_linears)});
  job.metric("weights/dead_columns", static_cast<double>(tally.n_dead), "columns");
  job.metric("weights/raised_dampening", static_cast<double>(tally.n_raised), "linears");
  job.metric("weights/rtn_fallbacks", static_cast<double>(tally.n_rtn), "linears");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.gptq", LB_QUANTIZER)
                  .version("4")
                  .summary("Rounds weights column by column, spreading each error by the inputs' second moments.")
                  .preload()
                  .cuda()
                  .resumable()
                  .input("model", "model/1", "the model to quantize")
                  .input("calibration", "token-batches/1", "text that the inputs' second moments are taken from",
                         LB_PORT_OPTIONAL)
                  .input("hessians", "hessians/1", "second moments of the same model, instead of calibration",
                         LB_PORT_OPTIONAL)
                  .output("quantized", "quantized-model/1", "codes, scales and zero points")
                  .check<check>()
                  .run<lm::stage<Params, quantize>>())
