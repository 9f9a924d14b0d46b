// evaluator-perplexity: how well a model predicts the tokens of windows. The method is plugins/lm/perplexity.h.
#include "lm/perplexity.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "lm/digest.h"
#include "lm/json_file.h"
#include "lm/quantized_model.h"
#include "lm/stage.h"
#include "lm/token_batches.h"

using namespace lowbit;

namespace {

struct Params {
  std::int64_t batch_size = 8;
  std::string compute_dtype = "float32";
  std::string device = "cpu";
  bool streaming = false;
  double checkpoint_interval_s = 60;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::batch_size, "batch_size").at_least(1).unit("windows").doc("windows computed together"),
        field(&Params::compute_dtype, "compute_dtype")
            .one_of("float32", "bfloat16", "float64")
            .doc("precision of the matrix products"),
        lm::device_field<Params>(),
        field(&Params::streaming, "streaming")
            .no_effect_on_result()
            .doc("read the model block by block: slower, and memory does not grow with its depth"),
        field(&Params::checkpoint_interval_s, "checkpoint_interval_s")
            .at_least(0)
            .unit("s")
            .no_effect_on_result()
            .doc("least time between checkpoints"));
  }
};

void write_predictions(const std::filesystem::path& directory, const lm::Perplexity& ppl) {
  const std::string no_prompt = lm::sha256_of_text("");
  JsonLinesWriter out(directory / "predictions.jsonl");
  for (size_t i = 0; i < ppl.windows.size(); ++i) {
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
               {"nll", ppl.windows[i].sum},
               {"n_scored", ppl.windows[i].count}});
  }
  out.close();
}

void evaluate(const Job& job, const Params& params) {
  const auto [source, weights] = lm::open_model(job.input("model"));
  const auto config = lm::read_model_config(source);
  const auto batches = lm::read_token_batches(job.input("task").path);
  lm::check_made_for(batches, source, config.vocab_size);
  const lm::Model model(config, *weights, lm::compute_options(params),
                        params.streaming ? lm::Model::Blocks::streaming : lm::Model::Blocks::resident);
  const lm::Windows windows = lm::windows_of(batches);

  lm::Perplexity ppl;
  if (const auto saved = job.resume_from()) {
    for (const auto& window : lm::read_json_file(*saved / "windows.json")) {
      ppl.windows.push_back({window[0].get<double>(), window[1].get<int64_t>()});
    }
    job.info("going on at window " + std::to_string(ppl.windows.size()));
  }
  // Whole batches at a time, so that a job that goes on computes the batches it would have computed.
  constexpr int64_t kBatchesPerStep = 16;
  const int64_t step = kBatchesPerStep * params.batch_size;
  const int64_t n_windows = batches.n_windows();
  lm::CheckpointClock clock(params.checkpoint_interval_s);
  for (auto first = static_cast<int64_t>(ppl.windows.size()); first < n_windows; first += step) {
    const int64_t n = std::min(step, n_windows - first);
    const auto part = [&](const at::Tensor& t) { return t.defined() ? t.narrow(0, first, n) : t; };
    const auto scored =
        lm::score(model, {.ids = part(windows.ids), .scored = part(windows.scored), .keep = part(windows.keep)},
                  {.batch_size = params.batch_size}, [&](int64_t done, int64_t total) {
                    job.tick(static_cast<std::uint64_t>(first + n * done / total),
                             static_cast<std::uint64_t>(n_windows), "windows");
                  });
    ppl.windows.insert(ppl.windows.end(), scored.windows.begin(), scored.windows.end());
    if (clock.due() && first + n < n_windows) {
      job.checkpoint(ppl.windows.size(), [&](const std::filesystem::path& directory) {
        auto json = nlohmann::json::array();
        for (const lm::Nll& window : ppl.windows) json.push_back({window.sum, window.count});
        lm::write_json_file(directory / "windows.json", json);
      });
      clock.reset();
    }
  }

  write_predictions(job.output("predictions"), ppl);
  const lm::Nll total = ppl.total();
  const std::string context = "/token@" + std::to_string(batches.length());
  const Average mean{.count = static_cast<std::uint64_t>(total.count), .std_error = ppl.mean_std_error()};
  job.metric(batches.variant + "/nll" + context, total.mean(), "nats", mean);
  // Of a function of the mean: its slope times the error of the mean.
  job.metric(batches.variant + "/perplexity" + context, ppl.value(), "ratio",
             {.count = mean.count, .std_error = ppl.value() * mean.std_error});
  lm::report_size(job, config, *weights);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.perplexity", LB_EVALUATOR)
                  .version("4")
                  .summary("Token perplexity of windows of text: exp of the mean negative log-likelihood.")
                  .preload()
                  .cuda()
                  .resumable()
                  .input("model", lm::kModelTypes, "the model that predicts")
                  .input("task", "token-batches/1", "windows of text, cut with the model's own tokenizer")
                  .output("predictions", "predictions/1", "loss and number of scored tokens of each window")
                  .run<lm::stage<Params, evaluate>>())
