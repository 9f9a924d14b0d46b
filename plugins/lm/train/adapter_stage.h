// What the stages that train adapters share: their parameters, and where they start from. Included by plugins, not
// compiled into the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "lm/token_batches.h"
#include "lm/train/lora.h"
#include "lm/train/stage.h"

namespace lowbit::lm::train {

/// A stage's own Params derive from it and may change the defaults.
struct AdapterParams {
  double learning_rate = 1e-4;
  double token_learning_rate = 0;
  std::string lr_schedule = "cosine";
  double warmup_ratio = 0.03;
  std::int64_t steps = 0;
  double epochs = 1;
  std::int64_t batch_size = 16;
  std::int64_t rank = 16;
  double alpha = 32;
  std::vector<std::string> target_modules{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
  std::vector<std::string> train_tokens, token_init;
  std::string embedding_training = "rows";
  std::int64_t max_length = 0;
  bool continue_adapter = true;
  double adam_beta1 = 0.9, adam_beta2 = 0.999, adam_eps = 1e-8, clip_norm = 1;
  std::int64_t n_shards = 2;
  std::string compute_dtype = "float32";
  bool gradient_checkpointing = false;
  double checkpoint_interval_s = 60;

  [[nodiscard]] Schedule schedule(int64_t n_steps) const {
    using Shape = Schedule::Shape;
    return {.shape = lr_schedule == "cosine"   ? Shape::cosine
                     : lr_schedule == "linear" ? Shape::linear
                                               : Shape::constant,
            .n_steps = n_steps,
            .n_warmup = static_cast<int64_t>(std::ceil(warmup_ratio * static_cast<double>(n_steps)))};
  }
  [[nodiscard]] LoraModel::Options model() const {
    using Blocks = LoraModel::Blocks;
    return {.matrices = lm::compute_dtype(compute_dtype),
            .dtype = at::kFloat,
            .blocks = gradient_checkpointing ? Blocks::recomputed : Blocks::resident};
  }
  [[nodiscard]] int64_t n_steps(const BatchPlan& plan) const {
    if (steps > 0) return steps;
    return std::max<int64_t>(1, std::llround(epochs * static_cast<double>(plan.per_epoch())));
  }
  [[nodiscard]] Trainer::Options trainer(const Parameters& parameters) const {
    at::Tensor scale;
    if (token_learning_rate > 0) {
      if (learning_rate == 0) {
        throw Error(Status::bad_param, {.what = "token_learning_rate without learning_rate",
                                        .where = "learning_rate",
                                        .why = "both follow one schedule, whose peak is learning_rate, and that is 0",
                                        .fix = "give learning_rate a value above 0"});
      }
      scale = LoraModel::row_scale(parameters, token_learning_rate / learning_rate);
    }
    return {.adam = {.beta1 = adam_beta1, .beta2 = adam_beta2, .eps = adam_eps},
            .n_decayed = 0,
            .adam_scale = scale,
            .muon_matrices = {},
            .muon = {},
            .clip_norm = clip_norm,
            .n_shards = n_shards};
  }
};

template <class P>
auto adapter_fields() {
  const auto real = [](double P::*member, const char* name) { return field(member, name); };
  const auto integer = [](std::int64_t P::*member, const char* name) { return field(member, name); };
  return fields<P>(
      real(&P::learning_rate, "learning_rate").at_least(0).doc("peak learning rate of AdamW"),
      real(&P::token_learning_rate, "token_learning_rate")
          .at_least(0)
          .doc("that of the trained tokens' rows, or of the whole matrices; 0: learning_rate"),
      field(static_cast<std::string P::*>(&P::lr_schedule), "lr_schedule")
          .one_of("cosine", "linear", "constant")
          .doc("how it falls, to 0 at the end"),
      real(&P::warmup_ratio, "warmup_ratio").range(0, 1).doc("share of the steps with a linear rise from 0"),
      integer(&P::steps, "steps").at_least(0).unit("steps").doc("optimizer steps; 0: as many as epochs says"),
      real(&P::epochs, "epochs").above(0).doc("passes over the data, when steps is 0"),
      integer(&P::batch_size, "batch_size").at_least(1).doc("rows (or pairs) of an optimizer step"),
      integer(&P::rank, "rank").at_least(1).doc("rank of the updates; a continued adapter keeps its own"),
      real(&P::alpha, "alpha")
          .at_least(0)
          .doc("the update is alpha / rank times B A; a continued adapter keeps its own"),
      field(static_cast<std::vector<std::string> P::*>(&P::target_modules), "target_modules")
          .doc("linears that get an update; a continued adapter keeps its own"),
      field(static_cast<std::vector<std::string> P::*>(&P::train_tokens), "train_tokens")
          .doc("tokens whose rows in embedding and output matrix are trained too; a continued adapter keeps its own"),
      field(static_cast<std::vector<std::string> P::*>(&P::token_init), "token_init")
          .doc("for each of train_tokens a text: the rows begin at the mean of its tokens' rows; none, or \"\": at "
               "that of all, plus noise"),
      field(static_cast<std::string P::*>(&P::embedding_training), "embedding_training")
          .one_of("rows", "full")
          .doc("what of embedding and output matrix is trained: the rows of train_tokens, or both matrices whole (one, "
               "where the model ties them)"),
      integer(&P::max_length, "max_length")
          .at_least(0)
          .unit("tokens")
          .doc("longer rows are left out and counted; 0: the model's context"),
      field(static_cast<bool P::*>(&P::continue_adapter), "continue")
          .doc("train a given adapter further, on its own base; false: a new one on top of it"),
      real(&P::adam_beta1, "adam_beta1").at_least(0).below(1).doc("decay of the first moment"),
      real(&P::adam_beta2, "adam_beta2").at_least(0).below(1).doc("decay of the second moment"),
      real(&P::adam_eps, "adam_eps").above(0).doc("added to the root of the second moment"),
      real(&P::clip_norm, "clip_norm").at_least(0).doc("longest gradient; 0: any"),
      integer(&P::n_shards, "n_shards")
          .range(1, 64)
          .doc("parts a batch is cut into, each computed on one thread; moves the last bits"),
      field(static_cast<std::string P::*>(&P::compute_dtype), "compute_dtype")
          .one_of("float32", "bfloat16")
          .doc("precision of the matrix products; the adapter and everything else are fp32"),
      field(static_cast<bool P::*>(&P::gradient_checkpointing), "gradient_checkpointing")
          .no_effect_on_result()
          .doc("compute each block again in the backward pass, from the base as it is stored: slower, the same bits, "
               "and memory for one wide block per thread instead of all"),
      real(&P::checkpoint_interval_s, "checkpoint_interval_s")
          .at_least(0)
          .unit("s")
          .no_effect_on_result()
          .doc("least time between checkpoints"));
}

/// What is trained, on what.
struct Start {
  ModelConfig config;
  std::filesystem::path directory;  ///< of tokenizer.json
  std::unique_ptr<WeightSource> base;
  std::string base_digest;
  Adapter adapter;
};

/// Ids of train_tokens, each with the tokens that its rows begin from.
[[nodiscard]] inline std::map<int64_t, std::vector<int64_t>> trained_tokens(const AdapterParams& params,
                                                                            const Tokenizer& tokenizer) {
  if (!params.token_init.empty() && params.token_init.size() != params.train_tokens.size()) {
    throw Error(Status::bad_param, {.what = "token_init does not fit train_tokens",
                                    .where = "token_init",
                                    .why = "it has " + std::to_string(params.token_init.size()) + " texts for " +
                                           std::to_string(params.train_tokens.size()) + " tokens",
                                    .fix = "give one text for each token, \"\" for the mean of all rows"});
  }
  std::map<int64_t, std::vector<int64_t>> tokens;
  for (size_t i = 0; i < params.train_tokens.size(); ++i) {
    const auto id = tokenizer.id(params.train_tokens[i]);
    if (!id) {
      throw Error(Status::bad_param, {.what = "`" + params.train_tokens[i] + "` is not a token",
                                      .where = "train_tokens",
                                      .why = "the model's tokenizer has no such entry",
                                      .fix = "name tokens of the vocabulary; reserved ones are meant for this"});
    }
    tokens[*id] = params.token_init.empty() ? std::vector<int64_t>()
                                            : tokenizer.encode(params.token_init[i], Tokenizer::Special::skip);
  }
  return tokens;
}

/// `dropout`: of a new adapter.
[[nodiscard]] inline Start start_of(const Job& job, const AdapterParams& params, double dropout) {
  const Input input = job.input("model");
  const bool is_adapter = input.type.rfind("adapter/", 0) == 0;
  OpenedModel model = open_model(input);
  Start start{.config = read_model_config(model.directory),
              .directory = model.directory,
              .base = std::move(model.weights),
              .base_digest = input.digest,
              .adapter = {}};
  const auto tokenizer = open_tokenizer(start.directory, start.config.vocab_size);
  std::vector<int64_t> ids;
  std::vector<std::vector<int64_t>> first_rows_of;
  for (auto& [id, from] : trained_tokens(params, tokenizer)) {
    ids.push_back(id);
    first_rows_of.push_back(from);
  }
  if (!is_adapter || !params.continue_adapter) {
    start.adapter = new_adapter(start.config, *start.base,
                                {.rank = params.rank,
                                 .alpha = params.alpha,
                                 .dropout = dropout,
                                 .targets = params.target_modules,
                                 .token_ids = ids,
                                 .whole_matrices = params.embedding_training == "full",
                                 .first_rows_of = first_rows_of},
                                job.seed_for("adapter"));
    return start;
  }
  start.adapter = read_adapter(input.path);
  start.base_digest = read_adapter_base(input.path);
  const auto& base = input.closure.at(start.base_digest);
  start.base =
      open_model(base.at("path").get<std::string>(), base.at("type").get<std::string>(), input.closure).weights;
  if (params.embedding_training == "full" && !start.adapter.embedding_matrix.defined()) {
    throw Error(Status::bad_param, {.what = "a continued adapter keeps what it trains",
                                    .where = "embedding_training",
                                    .why = "it is full, and the adapter holds no whole embedding",
                                    .fix = "leave it at rows, or set continue to false for a new adapter"});
  }
  if (!ids.empty() && ids != start.adapter.token_ids) {
    throw Error(Status::bad_param, {.what = "a continued adapter keeps the tokens it trains",
                                    .where = "train_tokens",
                                    .why = "the adapter trains the rows of other tokens than train_tokens names",
                                    .fix = "leave train_tokens empty, or set continue to false for a new adapter"});
  }
  return start;
}

[[nodiscard]] inline int64_t max_length(const AdapterParams& params, const ModelConfig& config) {
  return params.max_length == 0 ? config.max_positions : std::min(params.max_length, config.max_positions);
}

/// Writes the trained adapter and reports what it costs.
inline void finish(const Job& job, const Trainer& trainer, const Adapter& adapter, const std::string& base_digest) {
  const int64_t n_bytes = write_adapter(job.output("trained"), adapter, base_digest);
  report_curves(job, trainer);
  job.metric("adapter/bytes", static_cast<double>(n_bytes), "bytes");
  job.metric("adapter/parameters", static_cast<double>(adapter.n_parameters()), "weights");
}

}  // namespace lowbit::lm::train
