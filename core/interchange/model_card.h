// What evaluators measured of one model, for the Hugging Face Hub: entries of eval_results.yaml, the `model-index` of a
// card's metadata, and a block of Markdown with what the Hub has no field for. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "interchange/card_blocks.h"
#include "interchange/evaluations.h"
#include "interchange/export_file.h"

namespace lowbit::interchange {

/// A dataset of the Hub that a task is made of, as people say: lowbit does not know.
struct HubDataset {
  std::string id;       ///< "org/name"
  std::string task_id;  ///< of the benchmark's leaderboard: "default"
};

/// By the name of the task.
using HubDatasets = std::map<std::string, HubDataset>;

/// A model with all evaluations of it, in their order. Borrows them.
struct CardModel {
  const EvaluatedModel* model = nullptr;
  std::vector<const Evaluation*> evaluations;
};

/// By digest, in the order of the first evaluation; what reads no model is no model.
[[nodiscard]] std::vector<CardModel> models_of(const std::vector<Evaluation>& evaluations);

/// A list with one entry for each task: its first metric of accuracy, exact_match, acc_norm, pass@1, and perplexity by
/// word, byte or token, else its first metric.
[[nodiscard]] std::string eval_results_yaml(const ExportedStudy& study, const CardModel& card,
                                            const HubDatasets& datasets);

[[nodiscard]] CardBlocks card_blocks(const ExportedStudy& study, const CardModel& card, const HubDatasets& datasets);

/// "restore__num_bits=3__/eval_results.yaml" and README.md beside it: a card of these blocks alone.
[[nodiscard]] std::vector<ExportFile> card_files(const ExportedStudy& study, const CardModel& card,
                                                 const HubDatasets& datasets);

}  // namespace lowbit::interchange
