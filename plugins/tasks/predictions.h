// What a model answered to a task becomes predictions/1 and metrics: read, graded and counted in the same way wherever
// the model runs.
//
//   expect_known_grader(task);
//   PredictionWriter out(job.output("predictions"), task, format);
//   for (...) out.add(item, {.item_id = item.item_id, .prompt_sha = ..., .text = ..., .n_tokens = 9});
//   out.close();
//   out.report(job);
#pragma once

#include <cstddef>
#include <filesystem>
#include <lowbit/sdk.hpp>
#include <optional>
#include <string>

#include "answers/response.h"
#include "tasks/task.h"

namespace lowbit::tasks {

/// Refuses tasks that are not answered in free text, or that would be graded otherwise than their authors meant. Throws
/// StageError(LB_BAD_INPUT).
void expect_known_grader(const Task& task);

struct Answered {
  std::string item_id;  ///< of the prediction: the item's, or ID#k of its k-th sample
  std::string prompt_sha;
  std::string text;                     ///< what the model wrote; what follows one of the task's stop texts is cut off
  std::optional<std::size_t> n_tokens;  ///< the end token included; nothing: not known, written as 0
  bool truncated = false;               ///< it was cut at the token limit; a stop text before that takes it back
};

class PredictionWriter {
 public:
  /// `task` outlives it.
  PredictionWriter(const std::filesystem::path& directory, const Task& task, answers::Format format);

  void add(const Item& item, Answered answered);
  void close() { out_.close(); }
  /// Shares of right, found, cut and well-formed answers, and their mean length where it is known.
  void report(const Job& job) const;

 private:
  const Task& task_;
  answers::Format format_;
  JsonLinesWriter out_;
  std::size_t n_ = 0, correct_ = 0, extracted_ = 0, format_kept_ = 0, truncated_ = 0, tokens_ = 0;
  bool tokens_known_ = true;
};

/// A share of n items with its binomial standard error.
void report_share(const Job& job, const std::string& name, std::size_t k, std::size_t n);

}  // namespace lowbit::tasks
