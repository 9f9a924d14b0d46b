// Predictions of the models on both sides, graded and judged.
//
// Grades and verdicts are gathered inputs beside the predictions: those count for a member whose coordinates agree with
// its own on every axis that both have, and there has to be exactly one such.
#pragma once

#include <lowbit/sdk.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pair.h"
#include "verdicts/verdict.h"

namespace lowbit::pairs {

struct Prediction {
  std::string text;
  std::optional<bool> correct;  ///< the grade that counts
  bool truncated = false, format_kept = false;
  std::size_t n_steps = 0;
  bool by_person = false;  ///< whether a person's decision is the grade
  /// Status of the verdict; nothing where there is none. Error where the grade names one.
  std::optional<verdicts::Status> status;
  Judged judged;
};

/// Predictions of one model by item.
struct Member {
  nlohmann::json coordinates;
  std::unordered_map<std::string, Prediction> by_item;
};

/// Item to the SHA-256 of the prompt that the task gives it.
using PromptShas = std::unordered_map<std::string, std::string>;

[[nodiscard]] bool agree(const nlohmann::json& a, const nlohmann::json& b);

/// Throws StageError{LB_BAD_INPUT} for predictions on another item or another prompt.
[[nodiscard]] std::vector<Member> read_members(const Job& job, const std::string& port, const PromptShas& prompt_shas);
/// Nothing happens where `port` is not bound. Throws StageError{LB_BAD_INPUT} for grades of other predictions.
void apply_grades(const Job& job, const std::string& port, std::vector<Member>& members);
/// The same for verdicts, of one judge or one vote. What a grade names stays, and what people decided.
void apply_verdicts(const Job& job, const std::string& port, std::vector<Member>& members);

}  // namespace lowbit::pairs
