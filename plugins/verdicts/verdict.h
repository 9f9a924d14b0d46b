// predictions/1, verdicts/1 and decisions/1 in memory (docs/artifacts.md), and what a judge or a person says of one
// solution.
//
//   for (const Prediction& p : read_predictions(job.input("predictions").path)) {
//     out.write(json_of(error_of_type("computational_error", 2), p.item_id, "me"));
//   }
#pragma once

#include <cstddef>
#include <filesystem>
#include <lowbit/sdk.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "verdicts/error_types.h"

namespace lowbit::verdicts {

struct Prediction {
  std::string item_id, problem_id, prompt_sha, text;
  std::vector<std::string> steps;
  std::optional<std::string> extracted;
  std::optional<bool> correct;
};
[[nodiscard]] std::vector<Prediction> read_predictions(const std::filesystem::path& directory);
/// What a person's decision is about: the SHA-256 over item, prompt and text. A model that writes the same again is the
/// same case, whatever made it.
[[nodiscard]] std::string case_of(const Prediction& prediction);

enum class Status { error, no_error, undetermined, invalid, conflict, insufficient };
[[nodiscard]] std::string_view name_of(Status status);

struct Finding {
  Status status = Status::undetermined;
  std::optional<std::size_t> first_error_step;  ///< from 1
  std::optional<std::string> category, type;
  std::string explanation = {};  ///< empty: none
  std::optional<double> confidence = {};
};
/// With the type's category.
[[nodiscard]] Finding error_of_type(std::string_view type, std::size_t step, std::string explanation);

struct Verdict {
  std::string item_id, judge;
  Finding finding;
};
/// Lines in the order of the file.
[[nodiscard]] std::vector<Verdict> read_verdicts(const std::filesystem::path& directory);
[[nodiscard]] nlohmann::json json_of(const Finding& finding, const std::string& item_id, const std::string& judge);

/// A line of decisions/1: what a person said of a case.
struct Decision {
  std::string decision_id;
  Finding finding;  ///< status error, no_error or undetermined
};
/// By case.
[[nodiscard]] std::unordered_map<std::string, Decision> read_decisions(const std::filesystem::path& directory);

}  // namespace lowbit::verdicts
