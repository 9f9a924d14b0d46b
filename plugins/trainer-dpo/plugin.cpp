// trainer-dpo: direct preference optimization of an adapter. The loss is plugins/lm/train/dpo.h; docs/training.md.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lm/token_batches.h"
#include "lm/train/adapter_stage.h"
#include "lm/train/dpo.h"

using namespace lowbit;

namespace {

struct Params : lm::train::AdapterParams {
  Params() {
    learning_rate = 1e-6;
    warmup_ratio = 0.1;
    batch_size = 8;
  }
  double beta = 0.1;
  std::string loss = "sigmoid";
  double label_smoothing = 0;
  double nll_weight = 0;

  static auto fields() {
    return std::tuple_cat(
        lm::train::adapter_fields<Params>(),
        lowbit::fields<Params>(
            field(&Params::beta, "beta").above(0).doc("how strongly the reference is kept to"),
            field(&Params::loss, "loss").one_of("sigmoid", "ipo", "hinge").doc("what is made of a pair's margin"),
            field(&Params::label_smoothing, "label_smoothing")
                .at_least(0)
                .below(0.5)
                .doc("share of pairs that are taken to be labelled the wrong way round (cDPO); of loss sigmoid"),
            field(&Params::nll_weight, "nll_weight")
                .at_least(0)
                .doc("of the mean -log p of the chosen completions' tokens, added to the loss")));
  }

  [[nodiscard]] lm::train::PreferenceLoss preference_loss() const {
    using Kind = lm::train::PreferenceLoss::Kind;
    if (loss != "sigmoid" && label_smoothing > 0) {
      throw lm::Error(lm::Status::bad_param, {.what = "label_smoothing goes with loss sigmoid",
                                              .where = "label_smoothing",
                                              .why = "loss is " + loss,
                                              .fix = "leave it at 0, or set loss to sigmoid"});
    }
    return {.kind = loss == "sigmoid" ? Kind::sigmoid
                    : loss == "ipo"   ? Kind::ipo
                                      : Kind::hinge,
            .beta = beta,
            .label_smoothing = label_smoothing};
  }
};

struct Pairs {
  std::vector<lm::train::Sequence> chosen, rejected;  // pair i: chosen[i], rejected[i]
  int64_t n_too_long = 0;

  /// Of the completions of the pairs `part`.
  [[nodiscard]] lm::train::PairValues n_tokens(const std::vector<int64_t>& part) const {
    const auto of = [&](const std::vector<lm::train::Sequence>& rows) {
      std::vector<float> counts;
      for (const int64_t i : part) counts.push_back(static_cast<float>(rows[static_cast<size_t>(i)].n_scored()));
      return at::tensor(counts);
    };
    return {.chosen = of(chosen), .rejected = of(rejected)};
  }
  [[nodiscard]] std::vector<int64_t> lengths() const {
    std::vector<int64_t> lengths;
    for (size_t i = 0; i < chosen.size(); ++i) lengths.push_back(std::max(chosen[i].length(), rejected[i].length()));
    return lengths;
  }
};

Pairs load_pairs(const Job& job, const lm::Tokenizer& tokenizer, int64_t max_length, lm::train::ThreadPool& pool) {
  const auto file = job.input("data").path / "pairs.jsonl";
  auto chosen = lm::train::tokenize_all(job, lm::train::read_texts(file, "chosen"), tokenizer, pool);
  auto rejected = lm::train::tokenize_all(job, lm::train::read_texts(file, "rejected"), tokenizer, pool);
  Pairs pairs;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (std::max(chosen[i].length(), rejected[i].length()) > max_length) {
      ++pairs.n_too_long;
      continue;
    }
    pairs.chosen.push_back(std::move(chosen[i]));
    pairs.rejected.push_back(std::move(rejected[i]));
  }
  lm::train::expect_rows(pairs.chosen.size(), file, pairs.n_too_long, max_length);
  return pairs;
}

/// Log-probabilities of the pairs `part`, chosen rows first in one batch.
lm::train::PairValues logps_of(const lm::train::LoraModel& model, const lm::NamedTensors& leaves, const Pairs& pairs,
                               const std::vector<int64_t>& part) {
  std::vector<const lm::train::Sequence*> rows;
  for (const int64_t i : part) rows.push_back(&pairs.chosen[static_cast<size_t>(i)]);
  for (const int64_t i : part) rows.push_back(&pairs.rejected[static_cast<size_t>(i)]);
  const auto batch = lm::train::collate(rows, 0);
  const at::Tensor logps = lm::train::row_logps(model.nll(leaves, batch), batch);
  const auto n = static_cast<int64_t>(part.size());
  return {.chosen = logps.narrow(0, 0, n), .rejected = logps.narrow(0, n, n)};
}

/// Log-probabilities under the incoming weights, [pairs], in the very batches and shards that the first epoch trains
/// on: the same shapes go through the same kernels, so that policy and reference agree to the bit at the start.
lm::train::PairValues reference_of(const Job& job, const Params& params, const lm::train::LoraModel& model,
                                   const lm::train::Parameters& parameters, const Pairs& pairs,
                                   const lm::train::BatchPlan& plan, int64_t n_batches, lm::train::ThreadPool& pool) {
  const auto n_pairs = static_cast<int64_t>(pairs.chosen.size());
  lm::train::PairValues all{.chosen = at::zeros({n_pairs}), .rejected = at::zeros({n_pairs})};
  const auto leaves = parameters.views(parameters.values);
  for (int64_t i = 0; i < n_batches; ++i) {
    job.stop_if_cancelled();
    const auto indices = plan.batch(i);
    pool.run(params.n_shards, [&](int64_t shard) {
      const auto part = lm::train::part_of(indices, shard, params.n_shards);
      if (part.empty()) return;
      const at::NoGradGuard frozen;
      const auto logps = logps_of(model, leaves, pairs, part);
      for (size_t k = 0; k < part.size(); ++k) {  // every pair is in one shard of one batch: no two threads meet
        all.chosen.data_ptr<float>()[part[k]] = logps.chosen[static_cast<int64_t>(k)].item<float>();
        all.rejected.data_ptr<float>()[part[k]] = logps.rejected[static_cast<int64_t>(k)].item<float>();
      }
    });
  }
  return all;
}

/// Before the first update policy and reference are one model: Delta is 0. With equal bits only the rounding of the
/// mean is left, below a millionth of it; what this is here to find (dropout, a reference without the incoming adapter,
/// other tokens) is larger by orders.
void expect_start(double loss, double expected) {
  constexpr double kTolerance = 1e-5;
  if (std::abs(loss - expected) <= kTolerance * std::max(1.0, expected)) return;
  throw StageError(LB_NUMERIC, {.what = "the first loss of the pairs is not that of equal models",
                                .where = "step 0",
                                .why = "it is " + std::to_string(loss) + " instead of " + std::to_string(expected) +
                                       ": policy and reference are not the same model, or not computed the same way",
                                .fix = "use compute_dtype float32; if it persists, report it to the plugin's author"});
}

/// Of one shard of one step.
struct ShardReport {
  lm::train::DpoMetrics metrics;
  double pair_loss = 0, nll = 0;  ///< sums over pairs, over tokens of chosen completions
};

void train(const Job& job, const Params& params) {
  const lm::train::PreferenceLoss pair_loss = params.preference_loss();
  lm::train::ThreadPool pool(job.threads());
  auto start = lm::train::start_of(job, params, 0);
  start.adapter.dropout = 0;  // what is compared with the reference must be deterministic
  const auto tokenizer = lm::open_tokenizer(start.directory, start.config.vocab_size);
  const Pairs pairs = load_pairs(job, tokenizer, max_length(params, start.config), pool);
  const lm::train::BatchPlan plan(pairs.lengths(), {.batch_size = params.batch_size, .seed = job.seed_for("pairs")});
  const int64_t n_steps = params.n_steps(plan);
  const auto schedule = params.schedule(n_steps);

  const lm::train::LoraModel model(start.config, *start.base, start.adapter, params.model());
  lm::train::Parameters parameters(model.initial());
  const lm::train::PairValues reference =
      reference_of(job, params, model, parameters, pairs, plan, std::min(n_steps, plan.per_epoch()), pool);
  lm::train::Trainer trainer(parameters, params.trainer(parameters), pool);
  std::vector<ShardReport> shards(static_cast<size_t>(params.n_shards));
  lm::train::run_steps(job, trainer, n_steps, params.checkpoint_interval_s, [&](int64_t i) {
    const auto indices = plan.batch(i);
    const auto n = static_cast<double>(indices.size());
    const auto n_chosen_tokens = pairs.n_tokens(indices).chosen.sum(at::kDouble).item<double>();
    const auto loss = [&](int64_t shard, const lm::NamedTensors& leaves) -> at::Tensor {
      const auto part = lm::train::part_of(indices, shard, params.n_shards);
      ShardReport& report = shards[static_cast<size_t>(shard)];
      report = {};
      if (part.empty()) return {};
      const auto policy = logps_of(model, leaves, pairs, part);
      const at::Tensor rows = at::tensor(part, at::kLong);
      const lm::train::PairValues frozen{.chosen = reference.chosen.index_select(0, rows),
                                         .rejected = reference.rejected.index_select(0, rows)};
      const at::Tensor of_pairs = pair_loss(policy, frozen, pairs.n_tokens(part)).sum();
      const at::Tensor nll = -policy.chosen.sum();
      report = {.metrics = lm::train::dpo_metrics(policy, frozen, params.beta),
                .pair_loss = of_pairs.item<double>(),
                .nll = nll.item<double>()};
      if (params.nll_weight == 0) return of_pairs / n;
      return of_pairs / n + nll * (params.nll_weight / n_chosen_tokens);
    };
    const double rate = params.learning_rate * schedule.factor(i);
    const auto step = trainer.step(loss, {.adam = rate, .muon = 0});
    lm::train::DpoMetrics sum;
    double sum_of_pairs = 0;
    double nll = 0;
    for (const ShardReport& shard : shards) {
      sum += shard.metrics;
      sum_of_pairs += shard.pair_loss;
      nll += shard.nll;
    }
    if (i == 0) expect_start(sum_of_pairs / n, pair_loss.at_start());
    trainer.record("train/loss", step.loss);
    if (params.nll_weight > 0) {
      trainer.record("train/preference_loss", sum_of_pairs / n);
      trainer.record("train/nll", nll / n_chosen_tokens);
    }
    trainer.record("train/grad_norm", step.gradient_norm);
    trainer.record("train/learning_rate", rate);
    trainer.record("rewards/chosen", sum.rewards_chosen / n);
    trainer.record("rewards/rejected", sum.rewards_rejected / n);
    trainer.record("rewards/margins", (sum.rewards_chosen - sum.rewards_rejected) / n);
    trainer.record("rewards/accuracies", sum.accuracy / n);
    trainer.record("logps/chosen", sum.logps_chosen / n);
    trainer.record("logps/rejected", sum.logps_rejected / n);
  });
  finish(job, trainer, model.trained(parameters), start.base_digest);
  job.metric("data/dropped/too_long", static_cast<double>(pairs.n_too_long), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.dpo", LB_TRAINER)
                  .version("5")
                  .summary("Direct preference optimization of a LoRA adapter against its own starting point.")
                  .preload()
                  .seeded()
                  .resumable()
                  .input("model", lm::kModelTypes, "policy and reference; an adapter is trained further")
                  .input("data", "preference-pairs/1", "chosen and rejected completions")
                  .output("trained", "adapter/1", "the trained adapter")
                  .run<lm::stage<Params, train>>())
