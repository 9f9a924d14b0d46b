// trainer-pretrain: a small LLaMA from nothing, on examples whose completions carry the loss. docs/training.md.
#include <chrono>

#include "lm/train/forward.h"
#include "lm/train/stage.h"
#include "pretrain.h"

using namespace lowbit;

namespace {

struct Params {
  std::int64_t hidden_size = 192, n_blocks = 4, n_heads = 6, n_kv_heads = 3, head_dim = 32, intermediate_size = 512;
  std::int64_t max_positions = 256, max_parameters = 2'000'000;
  double rope_theta = 10000, rms_norm_eps = 1e-5;
  bool tied_embeddings = false;
  std::string bos_token = "<bos>", eos_token = "<eos>", pad_token = "<pad>";
  std::vector<std::string> reserved_tokens;
  std::int64_t steps = 5000, warmup_steps = 200, examples_per_step = 28, drills_per_step = 20, drills_per_row = 5;
  double drill_fraction = 0.6, decay_fraction = 0.4;
  double muon_lr = 0.02, muon_weight_decay = 0.00625, adam_lr = 2.5e-3, adam_beta1 = 0.9, adam_beta2 = 0.98;
  double weight_decay = 0.05, clip_norm = 1;
  std::int64_t n_shards = 2;
  std::string compute_dtype = "float32";
  double checkpoint_interval_s = 60;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::hidden_size, "hidden_size").at_least(1).doc("width of the residual stream"),
        field(&Params::n_blocks, "n_blocks").at_least(1).doc("blocks of attention and MLP"),
        field(&Params::n_heads, "n_heads").at_least(1).doc("query heads"),
        field(&Params::n_kv_heads, "n_kv_heads").at_least(1).doc("key and value heads; divides n_heads"),
        field(&Params::head_dim, "head_dim").at_least(2).doc("width of a head, even"),
        field(&Params::intermediate_size, "intermediate_size").at_least(1).doc("width of the MLP"),
        field(&Params::max_positions, "max_positions")
            .at_least(2)
            .unit("tokens")
            .doc("context of the model; longer examples are left out and counted"),
        field(&Params::max_parameters, "max_parameters").at_least(1).doc("a larger model is refused"),
        field(&Params::rope_theta, "rope_theta").above(0).doc("base of the rotary frequencies"),
        field(&Params::rms_norm_eps, "rms_norm_eps").above(0).doc("added to mean squares in the norms"),
        field(&Params::tied_embeddings, "tied_embeddings").doc("the output matrix is the embedding"),
        field(&Params::bos_token, "bos_token").not_empty().doc("start token, for config.json"),
        field(&Params::eos_token, "eos_token").not_empty().doc("end token, for config.json"),
        field(&Params::pad_token, "pad_token").not_empty().doc("padding token"),
        field(&Params::reserved_tokens, "reserved_tokens")
            .doc("tokens kept for later training: data that holds one is refused, their rows stay as initialised"),
        field(&Params::steps, "steps").at_least(1).unit("steps").doc("optimizer steps"),
        field(&Params::warmup_steps, "warmup_steps").at_least(0).unit("steps").doc("linear rise of the learning rates"),
        field(&Params::examples_per_step, "examples_per_step").at_least(1).unit("sequences").doc("batch size"),
        field(&Params::drills_per_step, "drills_per_step").at_least(1).unit("sequences").doc("drill rows in a batch"),
        field(&Params::drills_per_row, "drills_per_row").at_least(1).doc("drills joined to one row"),
        field(&Params::drill_fraction, "drill_fraction").range(0, 1).doc("first share of the steps with drills"),
        field(&Params::decay_fraction, "decay_fraction")
            .range(0, 1)
            .doc("last share of the steps, over which the learning rates fall to 0"),
        field(&Params::muon_lr, "muon_lr").at_least(0).doc("Muon's peak learning rate, for the blocks' matrices"),
        field(&Params::muon_weight_decay, "muon_weight_decay").at_least(0).doc("decoupled, times muon_lr"),
        field(&Params::adam_lr, "adam_lr").at_least(0).doc("AdamW's peak learning rate, for all else"),
        field(&Params::adam_beta1, "adam_beta1").at_least(0).below(1).doc("decay of the first moment"),
        field(&Params::adam_beta2, "adam_beta2").at_least(0).below(1).doc("decay of the second moment"),
        field(&Params::weight_decay, "weight_decay").at_least(0).doc("AdamW's, of embedding and output matrix"),
        field(&Params::clip_norm, "clip_norm").at_least(0).doc("longest gradient; 0: any"),
        field(&Params::n_shards, "n_shards")
            .range(1, 64)
            .doc("parts a batch is cut into, each computed on one thread; moves the last bits"),
        field(&Params::compute_dtype, "compute_dtype")
            .one_of("float32", "bfloat16")
            .doc("precision of the matrix products; weights and everything else are fp32"),
        field(&Params::checkpoint_interval_s, "checkpoint_interval_s")
            .at_least(0)
            .unit("s")
            .no_effect_on_result()
            .doc("least time between checkpoints"));
  }
};

lm::ModelConfig config_of(const Params& p, const lm::Tokenizer& tokenizer) {
  const auto special = pretrain::token_ids(tokenizer, {p.bos_token, p.eos_token, p.pad_token});
  lm::ModelConfig c;
  c.hidden_size = p.hidden_size;
  c.embedding_size = p.hidden_size;
  c.intermediate_size = p.intermediate_size;
  c.n_blocks = p.n_blocks;
  c.n_heads = p.n_heads;
  c.n_kv_heads = p.n_kv_heads;
  c.head_dim = p.head_dim;
  c.vocab_size = tokenizer.size();
  c.max_positions = p.max_positions;
  c.norm_eps = p.rms_norm_eps;
  c.rope_theta = p.rope_theta;
  c.tied_embeddings = p.tied_embeddings;
  c.bos_id = special[0];
  c.eos_ids = {special[1]};
  c.pad_id = special[2];
  return c;
}

void check(const Job& job, const Params& p) {
  const auto refuse = [&](const std::string& what, const std::string& why, const std::string& fix) {
    throw StageError(LB_BAD_PARAM, {.what = what, .where = std::string(job.stage_id()), .why = why, .fix = fix});
  };
  if (p.n_heads % p.n_kv_heads != 0) {
    refuse("query heads cannot share the key heads evenly",
           "n_heads " + std::to_string(p.n_heads) + " is not a multiple of n_kv_heads " + std::to_string(p.n_kv_heads),
           "choose n_kv_heads that divides n_heads");
  }
  if (p.head_dim % 2 != 0) {
    refuse("head_dim is odd", "it is " + std::to_string(p.head_dim) + "; rotary positions turn pairs",
           "use an even head_dim");
  }
}

void refuse_reserved(const lm::train::Examples& examples, const std::vector<int64_t>& reserved, const char* port) {
  for (size_t i = 0; i < examples.rows.size(); ++i) {
    for (const int64_t id : examples.rows[i].ids) {
      if (std::find(reserved.begin(), reserved.end(), id) == reserved.end()) continue;
      throw StageError(LB_BAD_INPUT, {.what = "the data holds a reserved token",
                                      .where = std::string(port) + ", row " + std::to_string(i + 1),
                                      .why = "token id " + std::to_string(id) + " is named in reserved_tokens",
                                      .fix = "write the data without it, or take it off reserved_tokens"});
    }
  }
}

/// Several drills joined to one row, as solution lines follow each other.
lm::train::Examples joined(lm::train::Examples drills, int64_t per_row, int64_t n_start, int64_t max_length) {
  lm::train::Examples rows;
  for (size_t i = 0; i < drills.rows.size(); ++i) {
    const bool starts_row = i % static_cast<size_t>(per_row) == 0;
    if (starts_row || rows.rows.back().length() + drills.rows[i].length() - n_start > max_length) {
      rows.rows.push_back(std::move(drills.rows[i]));
    } else {
      lm::train::append(rows.rows.back(), drills.rows[i], n_start);
    }
  }
  return rows;
}

void train(const Job& job, const Params& p) {
  const auto tokenizer_file = job.input("tokenizer").file();
  const auto tokenizer = lm::Tokenizer::open(tokenizer_file);
  const lm::ModelConfig config = config_of(p, tokenizer);
  const auto reserved = pretrain::token_ids(tokenizer, p.reserved_tokens);
  lm::train::Parameters parameters(pretrain::first_weights(config, job.seed_for("weights")));
  if (parameters.size() > p.max_parameters) {
    throw StageError(LB_BAD_PARAM, {.what = "the model is larger than allowed",
                                    .where = std::string(job.stage_id()),
                                    .why = "its shape has " + std::to_string(parameters.size()) +
                                           " parameters, max_parameters is " + std::to_string(p.max_parameters),
                                    .fix = "choose a smaller shape or raise max_parameters"});
  }

  lm::train::ThreadPool pool(job.threads());
  const auto examples = lm::train::load_examples(job, "data", tokenizer, p.max_positions, pool);
  refuse_reserved(examples, reserved, "data");
  lm::train::Examples drills;
  if (job.has_input("drills") && p.drill_fraction > 0) {
    drills = lm::train::load_examples(job, "drills", tokenizer, p.max_positions, pool);
    refuse_reserved(drills, reserved, "drills");
    drills =
        joined(std::move(drills), p.drills_per_row, static_cast<int64_t>(tokenizer.encode("").size()), p.max_positions);
  }
  const lm::train::BatchPlan example_plan(examples.lengths(),
                                          {.batch_size = p.examples_per_step, .seed = job.seed_for("examples")});
  const lm::train::BatchPlan drill_plan(drills.lengths(),
                                        {.batch_size = p.drills_per_step, .seed = job.seed_for("drills")});
  const auto n_drill_steps =
      drills.rows.empty() ? 0 : static_cast<int64_t>(p.drill_fraction * static_cast<double>(p.steps));

  const at::ScalarType dtype = lm::compute_dtype(p.compute_dtype);
  lm::train::Trainer trainer(
      parameters,
      {.adam = {.beta1 = p.adam_beta1, .beta2 = p.adam_beta2, .eps = 1e-9, .weight_decay = p.weight_decay},
       .n_decayed = parameters.offset("model.norm.weight"),
       .muon_matrices = pretrain::matrix_names(config),
       .muon = {.weight_decay = p.muon_weight_decay, .dtype = dtype},
       .clip_norm = p.clip_norm,
       .n_shards = p.n_shards},
      pool);
  pretrain::FrozenRows frozen(parameters, reserved);
  const lm::train::Schedule schedule{.shape = lm::train::Schedule::Shape::trapezoid,
                                     .n_steps = p.steps,
                                     .n_warmup = p.warmup_steps,
                                     .decay_fraction = p.decay_fraction};

  const auto begun = std::chrono::steady_clock::now();
  int64_t n_seen = 0;  // tokens since the job began or went on
  lm::train::run_steps(job, trainer, p.steps, p.checkpoint_interval_s, [&](int64_t i) {
    std::vector<std::vector<const lm::train::Sequence*>> sources{examples.at(example_plan.batch(i))};
    if (i < n_drill_steps) sources.push_back(drills.at(drill_plan.batch(i)));
    int64_t n_targets = 0;
    for (const auto& rows : sources) {
      for (const lm::train::Sequence* row : rows) {
        n_targets += row->n_scored();
        n_seen += row->length();
      }
    }
    const auto loss = [&](int64_t shard, const lm::NamedTensors& leaves) {
      const lm::train::Weights weights = lm::train::assemble(
          config, [&](const std::string& name) { return leaves.at(name); }, dtype);
      at::Tensor sum;
      for (const auto& rows : sources) {
        const auto part = lm::train::part_of(rows, shard, p.n_shards);
        if (part.empty()) continue;
        const at::Tensor nll = lm::train::scored_nll(config, weights, lm::train::collate(part, *config.pad_id)).sum();
        sum = sum.defined() ? sum + nll : nll;
      }
      return sum.defined() ? sum / static_cast<double>(n_targets) : sum;
    };
    const double factor = schedule.factor(i);
    const auto step = trainer.step(loss, {.adam = p.adam_lr * factor, .muon = p.muon_lr * factor});
    frozen.restore();
    trainer.record("train/loss", step.loss);
    trainer.record("train/grad_norm", step.gradient_norm);
    trainer.record("train/learning_rate", p.muon_lr * factor);
    if ((i + 1) % 100 == 0) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
      job.info("step " + std::to_string(i + 1) + ": loss " + std::to_string(step.loss) + ", " +
               std::to_string(static_cast<int64_t>(static_cast<double>(n_seen) / seconds)) + " tokens/s");
    }
  });

  pretrain::write_model(job.output("trained"), config, parameters, tokenizer_file);
  lm::train::report_curves(job, trainer);
  job.metric("train/sequences", static_cast<double>(p.steps * p.examples_per_step), "sequences");
  job.metric("model/parameters", static_cast<double>(parameters.size()), "weights");
  job.metric("data/dropped/too_long", static_cast<double>(examples.n_too_long), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.pretrain", LB_TRAINER)
                  .version("2")
                  .summary("Trains a small LLaMA from nothing: Muon for its matrices, AdamW for the rest.")
                  .preload()
                  .seeded()
                  .resumable()
                  .input("data", "sft-pairs/1", "what is learned; the loss is over the completions")
                  .input("tokenizer", "file", "tokenizer.json of the model")
                  .input("drills", "sft-pairs/1", "short exercises beside the examples, in the first steps",
                         LB_PORT_OPTIONAL)
                  .output("trained", "model/1", "the trained model, in bf16")
                  .check<check>()
                  .run<lm::stage<Params, train>>())
