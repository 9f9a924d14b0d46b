// Where training meets the plugin SDK: what the bodies of all trainer stages share. Included by plugins, not compiled
// into the library.
#pragma once

#include <algorithm>
#include <lowbit/sdk.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lm/stage.h"
#include "lm/train/schedule.h"
#include "lm/train/sequences.h"
#include "lm/train/trainer.h"

namespace lowbit::lm::train {

/// Tokenized rows of a data set, those longer than `max_length` left out: cut short they would teach to stop early.
struct Examples {
  std::vector<Sequence> rows;
  int64_t n_too_long = 0;

  [[nodiscard]] std::vector<int64_t> lengths() const {
    std::vector<int64_t> lengths;
    for (const Sequence& row : rows) lengths.push_back(row.length());
    return lengths;
  }
  [[nodiscard]] std::vector<const Sequence*> at(const std::vector<int64_t>& indices) const {
    std::vector<const Sequence*> found;
    for (const int64_t i : indices) found.push_back(&rows[static_cast<size_t>(i)]);
    return found;
  }
};

/// Texts to tokenize: prompt and completion.
using Texts = std::vector<std::pair<std::string, std::string>>;

/// `field` of every line of a pairs.jsonl, as the completion of its prompt.
inline Texts read_texts(const std::filesystem::path& file, const char* field) {
  Texts texts;
  for_each_json_line(file, [&](const nlohmann::json& row, std::size_t) {
    texts.emplace_back(row.at("prompt").get<std::string>(), row.at(field).get<std::string>());
  });
  return texts;
}

inline std::vector<Sequence> tokenize_all(const Job& job, const Texts& texts, const Tokenizer& tokenizer,
                                          ThreadPool& pool) {
  constexpr size_t kChunk = 256;
  std::vector<Sequence> rows(texts.size());
  pool.run(static_cast<int64_t>((texts.size() + kChunk - 1) / kChunk), [&](int64_t chunk) {
    job.stop_if_cancelled();
    const size_t begin = static_cast<size_t>(chunk) * kChunk;
    for (size_t i = begin; i < std::min(begin + kChunk, texts.size()); ++i) {
      rows[i] = tokenize(tokenizer, texts[i].first, texts[i].second);
    }
  });
  return rows;
}

/// Refuses a data set of which nothing is left.
inline void expect_rows(size_t n_rows, const std::filesystem::path& file, int64_t n_too_long, int64_t max_length) {
  if (n_rows > 0) return;
  throw Error(Status::bad_input,
              {.what = "there is nothing to train on",
               .where = file.string(),
               .why = std::to_string(n_too_long) + " rows are longer than " + std::to_string(max_length) + " tokens",
               .fix = "raise max_length, or check the stage that wrote the pairs"});
}

inline Examples load_examples(const Job& job, const char* port, const Tokenizer& tokenizer, int64_t max_length,
                              ThreadPool& pool) {
  const std::filesystem::path file = job.input(port).path / "pairs.jsonl";
  Examples examples;
  examples.rows = tokenize_all(job, read_texts(file, "completion"), tokenizer, pool);
  const auto is_too_long = [&](const Sequence& row) { return row.length() > max_length; };
  examples.n_too_long = std::count_if(examples.rows.begin(), examples.rows.end(), is_too_long);
  examples.rows.erase(std::remove_if(examples.rows.begin(), examples.rows.end(), is_too_long), examples.rows.end());
  expect_rows(examples.rows.size(), file, examples.n_too_long, max_length);
  return examples;
}

/// Rows `shard`, `shard` + n, ... of a batch: neighbours in length go to different shards.
template <class Row>
[[nodiscard]] std::vector<Row> part_of(const std::vector<Row>& batch, int64_t shard, int64_t n_shards) {
  std::vector<Row> part;
  for (auto i = static_cast<size_t>(shard); i < batch.size(); i += static_cast<size_t>(n_shards)) {
    part.push_back(batch[i]);
  }
  return part;
}

[[nodiscard]] inline const char* unit_of(const std::string& curve) {
  if (curve == "rewards/accuracies") return "fraction";
  return curve == "train/learning_rate" || curve == "train/grad_norm" ? "ratio" : "nats";
}

/// The steps that are left: `step(i)` makes update i (from 0) and records its curves. About 200 points of each curve
/// are reported.
template <class Step>
void run_steps(const Job& job, Trainer& trainer, int64_t n_steps, double checkpoint_interval_s, const Step& step) {
  if (const auto saved = job.resume_from()) {
    trainer.restore(*saved);
    job.info("going on at step " + std::to_string(trainer.n_steps()));
  }
  const int64_t every = std::max<int64_t>(1, n_steps / 200);
  CheckpointClock clock(checkpoint_interval_s);
  while (trainer.n_steps() < n_steps) {
    job.tick(static_cast<std::uint64_t>(trainer.n_steps()), static_cast<std::uint64_t>(n_steps), "steps");
    step(trainer.n_steps());
    const int64_t done = trainer.n_steps();
    if (done == 1 || done % every == 0 || done == n_steps) {
      for (const auto& [name, values] : trainer.curves()) job.curve(name, values.back(), unit_of(name), done);
    }
    if (clock.due() && done < n_steps) {
      job.checkpoint(static_cast<std::uint64_t>(done), [&](const auto& directory) { trainer.save(directory); });
      clock.reset();
    }
  }
}

/// Final metrics of every trainer: of each recorded curve its mean over the last tenth of the steps.
inline void report_curves(const Job& job, const Trainer& trainer) {
  for (const auto& [name, values] : trainer.curves()) {
    if (name != "train/learning_rate") job.metric(name, trainer.tail_mean(name), unit_of(name));
  }
  job.metric("train/first_loss", trainer.curves().at("train/loss").front(), "nats");
  job.metric("train/optimizer_steps", static_cast<double>(trainer.n_steps()), "steps");
}

}  // namespace lowbit::lm::train
