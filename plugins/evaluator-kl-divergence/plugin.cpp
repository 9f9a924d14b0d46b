// evaluator-kl-divergence: how far a model's predictions are from a reference's. The method is plugins/lm/divergence.h.
#include <array>
#include <cstdio>

#include "lm/digest.h"
#include "lm/divergence.h"
#include "lm/stage.h"
#include "lm/token_batches.h"

using namespace lowbit;

namespace {

struct Params {
  std::int64_t batch_size = 8;
  std::string compute_dtype = "float32";
  std::string device = "cpu";
  bool streaming = false;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::batch_size, "batch_size").at_least(1).unit("windows").doc("windows computed together"),
        field(&Params::compute_dtype, "compute_dtype")
            .one_of("float32", "bfloat16", "float64")
            .doc("precision of the matrix products"),
        lm::device_field<Params>(),
        field(&Params::streaming, "streaming")
            .no_effect_on_result()
            .doc("read both models block by block: slower, and memory does not grow with their depth"));
  }
};

void evaluate(const Job& job, const Params& params) {
  const auto batches = lm::read_token_batches(job.input("task").path);
  const auto [source, weights] = lm::open_model(job.input("model"));
  const auto [reference_source, reference_weights] = lm::open_model(job.input("reference"));
  const auto load = [&](const std::filesystem::path& directory, const lm::WeightSource& from) {
    const auto config = lm::read_model_config(directory);
    lm::check_made_for(batches, directory, config.vocab_size);
    return lm::Model(config, from, lm::compute_options(params),
                     params.streaming ? lm::Model::Blocks::streaming : lm::Model::Blocks::resident);
  };
  const lm::Model model = load(source, *weights);
  const lm::Model reference = load(reference_source, *reference_weights);
  // Through how many batches a block is taken before the next is read: their hidden states, of both models, stay.
  constexpr int64_t kBatchesPerPass = 16;
  const auto windows = lm::diverge(
      model, reference, lm::windows_of(batches), {.batch_size = params.batch_size, .batches_per_pass = kBatchesPerPass},
      [&](int64_t done, int64_t total) {
        job.tick(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total), "steps");
      });

  const std::string no_prompt = lm::sha256_of_text("");
  JsonLinesWriter out(job.output("predictions") / "predictions.jsonl");
  lm::Divergence all;
  for (size_t i = 0; i < windows.size(); ++i) {
    const lm::Divergence& window = windows[i];
    all.kl_sum += window.kl_sum;
    all.n_same_top += window.n_same_top;
    all.count += window.count;
    std::array<char, 32> id{};
    (void)std::snprintf(id.data(), id.size(), "window-%06zu", i);
    out.write({{"item_id", id.data()},
               {"problem_id", id.data()},
               {"prompt_sha", no_prompt},
               {"text", ""},
               {"steps", nlohmann::json::array()},
               {"extracted", nullptr},
               {"correct", nullptr},
               {"n_tokens", 0},
               {"truncated", false},
               {"kl", window.kl_sum},
               {"n_same_top", window.n_same_top},
               {"n_scored", window.count}});
  }
  out.close();
  const auto n = static_cast<double>(all.count);
  const auto count = static_cast<std::uint64_t>(all.count);
  job.metric(batches.variant + "/kl_divergence", all.kl_sum / n, "nats",
             {.count = count, .std_error = lm::mean_std_error(windows)});
  job.metric(batches.variant + "/same_top_token", static_cast<double>(all.n_same_top) / n, "fraction",
             {.count = count});
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.kl-divergence", LB_EVALUATOR)
                  .version("2")
                  .summary("Mean KL(reference || model) per token of windows of text, and how often both favour the "
                           "same token.")
                  .preload()
                  .cuda()
                  .input("model", lm::kModelTypes, "the model that is compared")
                  .input("reference", lm::kModelTypes, "what it is compared with, such as full precision")
                  .input("task", "token-batches/1", "windows of text, cut with the models' own tokenizer")
                  .output("predictions", "predictions/1", "divergence and number of scored tokens of each window")
                  .run<lm::stage<Params, evaluate>>())
