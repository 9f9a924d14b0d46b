// quantizer-activations: a model with its weights as they are, whose activations, keys and values are rounded from now
// on. What is rounded, and how, is plugins/lm/activations.h; README.md says where it comes from.
#include "lm/activations.h"
#include "lm/calibration.h"
#include "lm/json_file.h"
#include "lm/quantized_model.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params {
  std::optional<std::int64_t> input_bits;
  std::string input_strategy = "token";
  std::int64_t input_group_size = 128;
  bool input_symmetric = true;
  std::optional<std::int64_t> kv_bits;
  std::int64_t kv_group_size = -1;
  bool kv_symmetric = false;
  std::int64_t min_calibration_tokens = 256;
  std::int64_t batch_size = 8;
  std::string compute_dtype = "float32";
  std::string device = "cpu";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::input_bits, "input_bits")
            .range(2, 16)
            .unit("bits")
            .doc("bits of what the linears of the blocks read; null: as the model has it"),
        field(&Params::input_strategy, "input_strategy")
            .one_of("token", "tensor", "group")
            .doc("each token its own range; one range for each input, fixed by the calibration windows; or one for "
                 "every input_group_size neighbours of a token"),
        field(&Params::input_group_size, "input_group_size")
            .at_least(1)
            .unit("inputs")
            .doc("of strategy group; it divides the inputs of every linear"),
        field(&Params::input_symmetric, "input_symmetric").doc("as many levels above zero as below"),
        field(&Params::kv_bits, "kv_bits")
            .range(2, 16)
            .unit("bits")
            .doc("bits of keys, with their positions, and values; null: as the model has it"),
        field(&Params::kv_group_size, "kv_group_size")
            .at_least(-1)
            .unit("numbers")
            .doc("neighbours in a head that share a range; -1: the whole head"),
        field(&Params::kv_symmetric, "kv_symmetric").doc("as many levels above zero as below"),
        field(&Params::min_calibration_tokens, "min_calibration_tokens")
            .at_least(1)
            .unit("tokens")
            .doc("of strategy tensor: fewer are refused, ranges of a few tokens say little"),
        field(&Params::batch_size, "batch_size")
            .at_least(1)
            .unit("windows")
            .doc("calibration windows computed together"),
        field(&Params::compute_dtype, "compute_dtype")
            .one_of("float32", "bfloat16")
            .doc("precision of the forward pass over the calibration windows"),
        lm::device_field<Params>());
  }

  [[nodiscard]] bool fixed_ranges() const { return input_bits && input_strategy == "tensor"; }
  [[nodiscard]] lm::ActivationRules rules() const {
    using Strategy = lm::ActivationGrid::Strategy;
    lm::ActivationRules rules;
    if (input_bits) {
      const Strategy strategy = input_strategy == "tensor"  ? Strategy::tensor
                                : input_strategy == "group" ? Strategy::group
                                                            : Strategy::token;
      rules.inputs = {.num_bits = static_cast<int>(*input_bits),
                      .symmetric = input_symmetric,
                      .strategy = strategy,
                      .group_size = strategy == Strategy::group ? input_group_size : -1};
    }
    if (kv_bits) {
      rules.kv_cache = {.num_bits = static_cast<int>(*kv_bits),
                        .symmetric = kv_symmetric,
                        .strategy = kv_group_size == -1 ? Strategy::token : Strategy::group,
                        .group_size = kv_group_size};
    }
    return rules;
  }
};

void check(const Job& job, const Params& params) {
  if (!params.input_bits && !params.kv_bits) {
    throw StageError(LB_BAD_PARAM, {.what = "nothing is to be rounded",
                                    .where = std::string(job.stage_id()),
                                    .why = "input_bits and kv_bits are both null",
                                    .fix = "set input_bits, kv_bits or both"});
  }
  if (params.fixed_ranges() && !job.has_input("calibration")) {
    throw StageError(LB_BAD_PARAM, {.what = "fixed ranges need calibration windows",
                                    .where = std::string(job.stage_id()),
                                    .why = "input_strategy is tensor and the port `calibration` is not bound",
                                    .fix = "bind `calibration` to token windows, or use input_strategy token"});
  }
}

std::map<std::string, lm::Range> observed_ranges(const Job& job, const Params& params, const lm::ModelConfig& config,
                                                 const lm::WeightSource& weights) {
  const auto windows = lm::read_token_batches(job.input("calibration").path);
  lm::check_made_for(windows, job.input("model").path, config.vocab_size);
  const lm::Model model(config, weights, lm::compute_options(params), lm::Model::Blocks::streaming);
  lm::Calibration calibration(model, windows,
                              {.batch_size = params.batch_size, .tick = [&] { job.stop_if_cancelled(); }});
  calibration.require_tokens(params.min_calibration_tokens);
  std::map<std::string, lm::Range> ranges;
  const auto n_blocks = static_cast<std::uint64_t>(config.n_blocks);
  for (std::uint64_t block = 0; block < n_blocks; ++block) {
    job.tick(block, n_blocks, "blocks");
    lm::BlockWeights w = model.block(static_cast<int64_t>(block));
    w.activations = {};  // ranges are those of numbers before any rounding
    lm::pass_with_ranges(calibration, config, w, static_cast<int64_t>(block), ranges);
  }
  return ranges;
}

void quantize(const Job& job, const Params& params) {
  const auto source = job.input("model").path;
  const auto config = lm::read_model_config(source);
  const auto weights = lm::open_weights(source);
  lm::check_tensors(config, *weights);
  lm::ActivationRules rules = params.rules();
  lm::check(rules, config);
  if (params.fixed_ranges()) rules.ranges = observed_ranges(job, params, config, *weights);
  if (const lm::ActivationRules* before = weights->activation_rules()) rules = lm::replaced(*before, rules);
  lm::copy_with_rules(source, job.output("quantized"), rules, [&] { job.stop_if_cancelled(); });
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.quantize-activations", LB_QUANTIZER)
                  .version("1")
                  .summary("Rounds what linears read, and keys and values, of a model whose weights stay as they are.")
                  .preload()
                  .cuda()
                  .input("model", "model/1|quantized-model/1", "the model, quantized or not")
                  .input("calibration", "token-batches/1", "text that fixed ranges are taken from", LB_PORT_OPTIONAL)
                  .output("quantized", "quantized-model/1", "the same weights, and how activations are rounded")
                  .check<check>()
                  .run<lm::stage<Params, quantize>>())
