// results_<time>.json, as lm-evaluation-harness writes it, and the samples beside it.
//
// Everything here throws StageError{LB_BAD_INPUT}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lowbit::lm_eval {

/// One number of a task or a group.
struct Measured {
  std::string task, metric, filter;  ///< "gsm8k", "exact_match", "strict-match"; without a filter "none"
  double value = 0;
  std::optional<double> std_error;
  std::uint64_t count = 0;               ///< samples that it is of; 0: the file does not say
  std::optional<bool> higher_is_better;  ///< as the file has it
};

class ResultsFile {
 public:
  /// `path`: a results file, or a directory with exactly one of them (or one of this `time`, as its name has it) in or
  /// below it.
  static ResultsFile open(const std::filesystem::path& path, const std::string& time);

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const nlohmann::json& json() const { return json_; }

  /// Tasks and groups in the order of their names; of each its numbers by name. Of `tasks` and `metrics` only, where
  /// they are not empty. A metric that is neither a number nor a text is refused.
  [[nodiscard]] std::vector<Measured> numbers(const std::vector<std::string>& tasks,
                                              const std::vector<std::string>& metrics) const;

  /// The task of this name, without a name the only one, of those whose samples are there.
  [[nodiscard]] std::string task_named(const std::string& name) const;
  /// samples_<task>_<time>.jsonl beside it.
  [[nodiscard]] std::filesystem::path samples_of(const std::string& task) const;
  /// Samples that were answered; nothing: the file does not say.
  [[nodiscard]] std::optional<std::uint64_t> n_samples(const std::string& task) const;
  /// The task's configuration; null without one.
  [[nodiscard]] const nlohmann::json& config_of(const std::string& task) const;

 private:
  ResultsFile(std::filesystem::path file, nlohmann::json json);

  [[nodiscard]] std::vector<Measured> numbers_of(const std::string& task,
                                                 const std::vector<std::string>& metrics) const;
  /// Of a group that does not say it: the sum over its tasks, through at most `depth` groups.
  [[nodiscard]] std::uint64_t count_of(const std::string& task, const std::string& key, int depth) const;
  [[nodiscard]] std::vector<std::string> tasks() const;
  [[nodiscard]] std::string time() const;

  std::filesystem::path file_;
  nlohmann::json json_;
};

/// `json[key]`, null where it is not an object or lacks it.
[[nodiscard]] const nlohmann::json& member(const nlohmann::json& json, const std::string& key);

}  // namespace lowbit::lm_eval
