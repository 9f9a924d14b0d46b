// Results and samples as lm-evaluation-harness (0.4) writes them. Pure.
//
//   LmEvalSamples samples(task);
//   for (each prediction) text += samples.line(item, question);
//   files.push_back(lm_eval_results(study, evaluation, {{task.name, samples.task_hash()}}));
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "domain/samples.h"
#include "interchange/evaluations.h"
#include "interchange/export_file.h"

namespace lowbit::interchange {

/// "2026-11-23T16-58-10.206Z": the time in names of files.
[[nodiscard]] std::string file_time(std::string rfc3339_utc);

/// "restore[num_bits=3]/samples_math_2026-11-23T16-58-10.206Z.jsonl", the model's name sanitized. `number` tells apart
/// evaluators of one model that ended in the same millisecond; 0 for the first.
[[nodiscard]] std::string samples_path(const ExportedStudy& study, const Evaluation& evaluation,
                                       const EvaluatedTask& task, std::size_t number);

/// The lines of one task's samples, in order. Where the task's accuracy was measured, items that were not graded count
/// as wrong, as they do in it.
class LmEvalSamples {
 public:
  explicit LmEvalSamples(const EvaluatedTask& task);

  /// `question`: what the task asks in this item, as far as it is known.
  [[nodiscard]] std::string line(const ItemLine& item, const std::optional<Question>& question);
  /// SHA-256 over document, prompt and target hashes of all lines so far. Ends the object.
  [[nodiscard]] std::string task_hash() { return hashes_.finish().hex(); }

 private:
  bool has_accuracy_;
  std::int64_t next_doc_ = 0;
  Sha256 hashes_;
};

/// One file for one evaluator's result, with the task hashes by name.
[[nodiscard]] ExportFile lm_eval_results(const ExportedStudy& study, const Evaluation& evaluation,
                                         const std::map<std::string, std::string>& task_hashes, std::size_t number);

}  // namespace lowbit::interchange
