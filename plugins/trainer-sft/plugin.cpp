// trainer-sft: supervised fine-tuning of an adapter over a frozen, possibly packed model. docs/training.md.
#include "lm/token_batches.h"
#include "lm/train/adapter_stage.h"
#include "lm/train/bins.h"
#include "lm/train/random.h"

using namespace lowbit;

namespace {

struct Params : lm::train::AdapterParams {
  double dropout = 0;
  bool packing = false;

  static auto fields() {
    return std::tuple_cat(lm::train::adapter_fields<Params>(),
                          lowbit::fields<Params>(field(&Params::dropout, "dropout")
                                                     .at_least(0)
                                                     .below(1)
                                                     .doc("share of the updates' inputs that is dropped in training; a "
                                                          "continued adapter keeps its own"),
                                                 field(&Params::packing, "packing")
                                                     .doc("join short rows to sequences of up to max_length tokens, in "
                                                          "which no row sees another; batch_size then counts "
                                                          "sequences")));
  }
};

/// Joins rows, best fit decreasing.
void pack_rows(const Job& job, const lm::WeightSource& base, int64_t max_length, lm::train::Examples& examples) {
  const lm::ActivationRules* rules = base.activation_rules();
  if (rules != nullptr && rules->outlier_threshold) {
    throw lm::Error(lm::Status::bad_param,
                    {.what = "packing does not go with a base that computes outliers apart",
                     .where = "packing",
                     .why = "LLM.int8 looks for outliers in a whole sequence, and joined rows would share theirs",
                     .fix = "leave packing off for this base"});
  }
  const size_t n_rows = examples.rows.size();
  examples.rows = lm::train::pack(examples.rows, max_length);
  job.info("packing: " + std::to_string(n_rows) + " rows in " + std::to_string(examples.rows.size()) +
           " sequences of up to " + std::to_string(max_length) + " tokens");
}

void train(const Job& job, const Params& params) {
  lm::train::ThreadPool pool(job.threads());
  auto start = lm::train::start_of(job, params, params.dropout);
  const auto tokenizer = lm::open_tokenizer(start.directory, start.config.vocab_size);
  const int64_t longest = max_length(params, start.config);
  auto examples = lm::train::load_examples(job, "data", tokenizer, longest, pool);
  if (params.packing) pack_rows(job, *start.base, longest, examples);
  const lm::train::BatchPlan plan(examples.lengths(),
                                  {.batch_size = params.batch_size, .seed = job.seed_for("examples")});
  const int64_t n_steps = params.n_steps(plan);
  const auto schedule = params.schedule(n_steps);

  const lm::train::LoraModel model(start.config, *start.base, start.adapter, params.model());
  lm::train::Parameters parameters(model.initial());
  lm::train::Trainer trainer(parameters, params.trainer(parameters), pool);
  const uint64_t dropout_seed = job.seed_for("dropout");
  lm::train::run_steps(job, trainer, n_steps, params.checkpoint_interval_s, [&](int64_t i) {
    const auto rows = examples.at(plan.batch(i));
    int64_t n_targets = 0;
    for (const lm::train::Sequence* row : rows) n_targets += row->n_scored();
    const auto loss = [&](int64_t shard, const lm::NamedTensors& leaves) -> at::Tensor {
      const auto part = lm::train::part_of(rows, shard, params.n_shards);
      if (part.empty()) return {};
      const at::Tensor nll =
          model.nll(leaves, lm::train::collate(part, 0), lm::train::seed_at(dropout_seed, {i, shard}));
      return nll.sum() / static_cast<double>(n_targets);
    };
    const double rate = params.learning_rate * schedule.factor(i);
    const auto step = trainer.step(loss, {.adam = rate, .muon = 0});
    trainer.record("train/loss", step.loss);
    trainer.record("train/grad_norm", step.gradient_norm);
    trainer.record("train/learning_rate", rate);
  });
  finish(job, trainer, model.trained(parameters), start.base_digest);
  job.metric("data/dropped/too_long", static_cast<double>(examples.n_too_long), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.sft", LB_TRAINER)
                  .version("5")
                  .summary("Supervised fine-tuning of a LoRA adapter; the model under it is frozen.")
                  .preload()
                  .seeded()
                  .resumable()
                  .input("model", lm::kModelTypes, "what the adapter is trained on; an adapter is trained further")
                  .input("data", "sft-pairs/1", "what is learned; the loss is over the completions")
                  .output("trained", "adapter/1", "the trained adapter")
                  .run<lm::stage<Params, train>>())
