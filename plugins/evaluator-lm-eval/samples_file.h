// samples_<task>_<time>.jsonl: what was asked and answered, item by item.
//
// Everything here throws StageError{LB_BAD_INPUT} with file and line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lowbit::lm_eval {

struct Request {
  std::string prompt;
  std::string continuation;  ///< whose log-probability is asked for; empty where text is generated
};

struct Sample {
  std::string where;  ///< "FILE:LINE"
  std::int64_t doc_id = 0;
  std::optional<std::string> doc_hash;  ///< nothing before version 0.4.3
  nlohmann::json doc;                   ///< the data set's row, an object
  std::string target;
  std::vector<Request> requests;     ///< at least one
  nlohmann::json responses;          ///< by request
  nlohmann::json filtered;           ///< what the filter made of them
  std::vector<std::string> metrics;  ///< names, in the order of the task
  nlohmann::json row;                ///< values under these names
};

/// The samples of one filter in the order of the file. Without `filter` there has to be only one. Refuses an item that
/// stands there twice.
[[nodiscard]] std::vector<Sample> read_samples(const std::filesystem::path& file, const std::string& filter);

/// A log-probability, as number or text; nothing where it is neither.
[[nodiscard]] std::optional<double> log_probability(const nlohmann::json& response);

/// What the task's question is in the data set's row: the field of this name; without one the first text of those that
/// data sets commonly have.
[[nodiscard]] std::string question_of(const Sample& sample, const std::string& field);

[[noreturn]] void refuse_sample(const Sample& sample, const std::string& what, const std::string& why,
                                const std::string& fix);

}  // namespace lowbit::lm_eval
