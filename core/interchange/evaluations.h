// What an experiment's evaluators measured of which model on which task: what the formats of evaluation harnesses and
// model cards hold. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/exported_study.h"
#include "domain/metric_registry.h"

namespace lowbit::interchange {

struct TaskMetric {
  std::string name;     ///< within the task: "accuracy", "perplexity/word@2048"
  std::string lm_eval;  ///< as lm-evaluation-harness calls it: "acc", "word_perplexity"; else the name
  Better better = Better::none;
  const MetricRow* row = nullptr;
};

struct EvaluatedTask {
  std::string name;
  std::string digest;                       ///< of the task/1 or token-batches/1 that was read; empty: none is known
  const Json* description;                  ///< task.json, or null
  std::vector<TaskMetric> metrics;          ///< without counts of items, by name
  std::uint64_t n_original = 0;             ///< items of the task
  std::uint64_t n_effective = 0;            ///< items that were answered
  std::optional<std::int64_t> num_fewshot;  ///< empty: the task is from outside
};

/// A model that evaluators read. Two variants read one where the digests are equal.
struct EvaluatedModel {
  std::string name;    ///< the label of what made it, or its directory's name; without a model the variant's
  std::string digest;  ///< empty: the variant reads no model, but asks a server
  std::optional<std::size_t> maker;  ///< a variant; empty: from outside
};

struct Evaluation {
  std::size_t variant = 0;
  EvaluatedModel model;
  std::vector<EvaluatedTask> tasks;
};

/// One for each chosen evaluator with a result that measured a task, in their order. Borrows `study`.
[[nodiscard]] std::vector<Evaluation> evaluations(const ExportedStudy& study);

/// What a model comes from.
struct Lineage {
  std::vector<std::size_t> makers;  ///< variants, from what made the model down to what read the base
  std::string base;                 ///< name of the model from outside; empty: all of it was made here
  std::string base_digest;
};

[[nodiscard]] Lineage lineage_of(const ExportedStudy& study, const Evaluation& evaluation);

}  // namespace lowbit::interchange
