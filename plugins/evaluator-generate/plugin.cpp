// evaluator-generate: what a model answers to a task, greedily or drawn, and how much of it is right. Generation is
// plugins/lm/generate.h, drawing plugins/lm/sampling.h; reading, grading and counting answers is
// plugins/tasks/predictions.h.
#include "lm/generate.h"

#include <cstdlib>
#include <optional>

#include "answers/response.h"
#include "lm/chat.h"
#include "lm/digest.h"
#include "lm/json_file.h"
#include "lm/quantized_model.h"
#include "lm/stage.h"
#include "lm/token_batches.h"
#include "lm/tokenizer.h"
#include "tasks/predictions.h"
#include "tasks/task.h"

using namespace lowbit;

namespace {

struct Params {
  std::string response_format = "plain";
  std::int64_t max_new_tokens = 128;
  std::int64_t batch_size = 64;
  bool reuse_prefix = true;
  bool refill = false;
  std::string compute_dtype = "float32";
  std::string device = "cpu";
  std::string chat_date = std::string(lm::kChatDate);
  double checkpoint_interval_s = 60;

  template <class P = Params>
  static auto fields() {
    return lowbit::fields<P>(
        field(static_cast<std::string P::*>(&P::response_format), "response_format")
            .one_of("plain", "tagged")
            .doc("how the answer is read: steps line by line, or steps and answer in tags"),
        field(static_cast<std::int64_t P::*>(&P::max_new_tokens), "max_new_tokens")
            .at_least(1)
            .unit("tokens")
            .doc("longest answer, its end token not counted; longer ones are cut"),
        field(static_cast<std::int64_t P::*>(&P::batch_size), "batch_size")
            .at_least(1)
            .unit("items")
            .doc("items answered together"),
        field(static_cast<bool P::*>(&P::reuse_prefix), "reuse_prefix")
            .doc("compute once what all prompts begin with; moves the last bits. Not with LLM.int8, whose outliers are "
                 "those of a whole prompt"),
        field(static_cast<bool P::*>(&P::refill), "refill")
            .doc("begin the next prompt as soon as an answer ends: faster where answers differ much in length. Not "
                 "bit-stable: what is computed beside an answer, and so its last bits, depends on the others' lengths"),
        field(static_cast<std::string P::*>(&P::compute_dtype), "compute_dtype")
            .one_of("float32", "bfloat16", "float64")
            .doc("precision of the matrix products"),
        lm::device_field<P>(),
        field(static_cast<std::string P::*>(&P::chat_date), "chat_date")
            .not_empty()
            .doc("day that a chat template names as today's where it names one (Llama 3.1 and later)"),
        field(static_cast<double P::*>(&P::checkpoint_interval_s), "checkpoint_interval_s")
            .at_least(0)
            .unit("s")
            .no_effect_on_result()
            .doc("least time between checkpoints"));
  }
};

struct SampleParams : Params {
  double temperature = 1;
  double top_p = 1;
  std::int64_t top_k = 0;
  std::int64_t samples = 1;

  static auto fields() {
    return std::tuple_cat(
        Params::fields<SampleParams>(),
        lowbit::fields<SampleParams>(
            field(&SampleParams::temperature, "temperature")
                .at_least(0)
                .doc("what logits are divided by; 0: the most probable token each time"),
            field(&SampleParams::top_p, "top_p")
                .above(0)
                .at_most(1)
                .doc("share of probability that the likeliest tokens must reach, which alone are drawn from; 1: all"),
            field(&SampleParams::top_k, "top_k")
                .at_least(0)
                .unit("tokens")
                .doc("so many likeliest tokens are drawn from; 0: all"),
            field(&SampleParams::samples, "samples")
                .range(1, 256)
                .unit("samples")
                .doc("answers to each item; above 1 their ids are the item's with #1, #2, ... behind it")));
  }
};

/// How answers are drawn; nothing in it: greedily.
struct Draws {
  std::optional<lm::Sampling> sampling;
  std::vector<std::uint64_t> streams;  // by item of the task
};

/// Each item `samples` times, and what the draws of each are a function of: the seed, its id and the sample's number.
Draws repeat_items(const Job& job, const SampleParams& params, tasks::Task& task) {
  if (params.samples > 1 && (params.temperature == 0 || params.top_k == 1)) {
    throw StageError(LB_BAD_PARAM, {.what = "several samples that cannot differ",
                                    .where = "samples",
                                    .why = "with temperature 0, or top_k 1, every answer to an item is the same",
                                    .fix = "set samples to 1, or draw: temperature above 0 and another top_k"});
  }
  const std::uint64_t seed = job.seed_for("samples");
  Draws draws;
  if (params.temperature > 0) {
    draws.sampling = {.temperature = params.temperature, .top_p = params.top_p, .top_k = params.top_k};
  }
  std::vector<tasks::Item> repeated;
  for (const tasks::Item& item : task.items) {
    const std::uint64_t of_id = std::strtoull(lm::sha256_of_text(item.item_id).substr(0, 16).c_str(), nullptr, 16);
    for (std::int64_t sample = 1; sample <= params.samples; ++sample) {
      repeated.push_back(item);
      if (params.samples > 1) repeated.back().item_id.append("#").append(std::to_string(sample));
      draws.streams.push_back(lm::stream_of(seed, of_id, sample));
    }
  }
  task.items = std::move(repeated);
  return draws;
}

/// Answers by item, filled batch by batch; null until an item is answered. `done` batches of the plan are in it.
struct Progress {
  std::vector<lm::Generation> answers;
  std::size_t done = 0;

  void save(const std::filesystem::path& directory) const {
    auto json = nlohmann::json::array();
    for (const lm::Generation& answer : answers) {
      auto row = nlohmann::json::array();
      row.push_back(answer.truncated);
      row.push_back(answer.ids);
      json.push_back(std::move(row));
    }
    lm::write_json_file(directory / "answers.json", {{"batches_done", done}, {"answers", std::move(json)}});
  }
  void load(const std::filesystem::path& directory) {
    const auto json = lm::read_json_file(directory / "answers.json");
    done = json.at("batches_done").get<std::size_t>();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto& row = json.at("answers").at(i);
      answers[i] = {.ids = row.at(1).get<std::vector<std::int64_t>>(), .truncated = row.at(0).get<bool>()};
    }
  }
};

/// What is asked, and how the model ends an answer.
struct Questions {
  std::vector<std::string> texts;
  std::vector<std::vector<std::int64_t>> prompts;
  std::vector<std::int64_t> stop_ids;
};

/// `source`: the directory of the model's tokenizer and configuration.
Questions read_questions(const std::filesystem::path& source, const lm::Tokenizer& tokenizer, const Params& params,
                         const tasks::Task& task, std::vector<std::int64_t> eos_ids) {
  Questions questions{.texts = {}, .prompts = {}, .stop_ids = std::move(eos_ids)};
  std::optional<lm::ChatTemplate> chat;
  if (task.chat) {
    chat = lm::ChatTemplate::open(source);
    if (const auto id = tokenizer.id(chat->end_of_turn())) questions.stop_ids.push_back(*id);
  }
  for (const tasks::Item& item : task.items) {
    std::string text = tasks::prompt_of(task, item);
    if (chat) {
      std::vector<lm::ChatMessage> messages;
      if (task.system) messages.push_back({"system", *task.system});
      messages.push_back({"user", std::move(text)});
      text = chat->render(messages, {.add_generation_prompt = true, .date = params.chat_date});
    }
    using Special = lm::Tokenizer::Special;
    questions.prompts.push_back(tokenizer.encode(text, chat ? Special::skip : Special::add));
    questions.texts.push_back(std::move(text));
  }
  return questions;
}

void note_unused_settings(const Job& job, const std::filesystem::path& source) {
  std::string list;
  for (const std::string& setting : lm::unused_generation_settings(source))
    list += (list.empty() ? "" : ", ") + setting;
  if (list.empty()) return;
  job.info("generation_config.json sets " + list + ": not used, what decides is this stage's parameters");
}

std::optional<lm::SharedPrefix> shared_prefix(const Job& job, const Params& params, const lm::Model& model,
                                              const lm::WeightSource& weights,
                                              const std::vector<std::vector<std::int64_t>>& prompts) {
  if (!params.reuse_prefix) return std::nullopt;
  const lm::ActivationRules* rules = weights.activation_rules();
  if (rules != nullptr && rules->outlier_threshold) {
    job.info("outliers of activations are those of a whole prompt: prompts are computed whole");
    return std::nullopt;
  }
  std::optional<lm::SharedPrefix> prefix(std::in_place, model, prompts);
  if (prefix->length() > 0) {
    job.info("computed once, what all prompts begin with: " + std::to_string(prefix->length()) + " tokens");
  }
  return prefix;
}

// Where rows are refilled, batches that are answered from beginning to end all the same, so that there are moments for
// checkpoints from which the same bytes follow.
constexpr std::int64_t kBatchesPerRefill = 8;

/// `prefix`: null where prompts are computed whole.
Progress answer_all(const Job& job, const Params& params, const lm::Model& model, const Questions& questions,
                    const lm::SharedPrefix* prefix, const Draws& draws) {
  const auto& prompts = questions.prompts;
  Progress progress{.answers = std::vector<lm::Generation>(prompts.size())};
  if (const auto saved = job.resume_from()) {
    progress.load(*saved);
    job.info("going on at batch " + std::to_string(progress.done + 1));
  }
  std::vector<std::int64_t> lengths;
  for (const auto& prompt : prompts) lengths.push_back(static_cast<std::int64_t>(prompt.size()));
  const auto batches = lm::plan_batches(lengths, params.batch_size * (params.refill ? kBatchesPerRefill : 1));
  lm::GenerateOptions options{.max_new_tokens = params.max_new_tokens,
                              .stop_ids = questions.stop_ids,
                              .prefix = prefix,
                              .n_rows = params.refill ? params.batch_size : 0,
                              .sampling = draws.sampling ? &*draws.sampling : nullptr,
                              .streams = {}};
  lm::CheckpointClock clock(params.checkpoint_interval_s);
  std::size_t n_before = 0;
  for (std::size_t i = 0; i < progress.done; ++i) n_before += batches[i].size();
  while (progress.done < batches.size()) {
    const auto& batch = batches[progress.done];
    std::vector<std::vector<std::int64_t>> of_batch;
    options.streams.clear();
    for (const std::size_t i : batch) {
      of_batch.push_back(prompts[i]);
      if (draws.sampling) options.streams.push_back(draws.streams[i]);
    }
    auto answers = lm::generate(model, of_batch, options, [&](std::size_t n_answered) {
      job.tick(n_before + n_answered, prompts.size(), "items");
    });
    for (std::size_t i = 0; i < batch.size(); ++i) progress.answers[batch[i]] = std::move(answers[i]);
    ++progress.done;
    n_before += batch.size();
    if (clock.due() && progress.done < batches.size()) {
      job.checkpoint(progress.done, [&](const std::filesystem::path& directory) { progress.save(directory); });
      clock.reset();
    }
  }
  return progress;
}

void answer_and_grade(const Job& job, const Params& params, const tasks::Task& task, const Draws& draws) {
  const auto [source, weights] = lm::open_model(job.input("model"));
  tasks::expect_known_grader(task);
  const auto config = lm::read_model_config(source);
  const auto tokenizer = lm::open_tokenizer(source, config.vocab_size);
  const lm::Model model(config, *weights, lm::compute_options(params));
  const Questions questions = read_questions(source, tokenizer, params, task, config.eos_ids);
  if (questions.stop_ids.empty()) job.warn("the model has no end token: every answer runs to max_new_tokens");
  note_unused_settings(job, source);
  if (params.refill) {
    job.warn("refill: the answers are not bit-stable, their last bits depend on the lengths of other answers");
  }
  const auto prefix = shared_prefix(job, params, model, *weights, questions.prompts);
  const Progress progress = answer_all(job, params, model, questions, prefix ? &*prefix : nullptr, draws);

  tasks::PredictionWriter out(job.output("predictions"), task, answers::format_named(params.response_format));
  for (std::size_t i = 0; i < task.items.size(); ++i) {
    const lm::Generation& answer = progress.answers[i];
    out.add(task.items[i], {.item_id = task.items[i].item_id,
                            .prompt_sha = lm::sha256_of_text(questions.texts[i]),
                            .text = tokenizer.decode(answer.ids, lm::Tokenizer::Show::special_too),
                            .n_tokens = answer.ids.size() + (answer.truncated ? 0 : 1),
                            .truncated = answer.truncated});
  }
  out.close();
  out.report(job);
  lm::report_size(job, config, *weights);
}

void evaluate(const Job& job, const Params& params) {
  answer_and_grade(job, params, tasks::read_task(job.input("task").path), {});
}

void sample(const Job& job, const SampleParams& params) {
  tasks::Task task = tasks::read_task(job.input("task").path);
  const Draws draws = repeat_items(job, params, task);
  answer_and_grade(job, params, task, draws);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.generate", LB_EVALUATOR)
                  .version("5")
                  .summary("Greedy answers to a task, read, graded and counted.")
                  .preload()
                  .cuda()
                  .resumable()
                  .input("model", lm::kModelTypes, "the model that answers")
                  .input("task", "task/1", "the items")
                  .output("predictions", "predictions/1", "answer, steps and grade of each item")
                  .run<lm::stage<Params, evaluate>>(),
              Stage("lowbit.sample", LB_EVALUATOR)
                  .version("1")
                  .summary("Several answers to each item of a task, drawn, read, graded and counted.")
                  .preload()
                  .cuda()
                  .seeded()
                  .resumable()
                  .input("model", lm::kModelTypes, "the model that answers")
                  .input("task", "task/1", "the items")
                  .output("predictions", "predictions/1", "answer, steps and grade of each sample")
                  .run<lm::stage<SampleParams, sample>>())
