// What one judge, a vote or a person says of one judged solution, as agreement between them is measured on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lowbit {

/// The judge of a majority vote, of people's decisions and of errors that were made on purpose (verdicts/1).
inline constexpr const char* kVoteJudge = "vote";
inline constexpr const char* kHumanJudge = "human";
inline constexpr const char* kTruthJudge = "truth";

struct Judgement {
  std::string predictions;  ///< digest of the predictions that were judged; with `item_id` it names the case
  std::string item_id;
  std::string judge;
  std::string label;                 ///< of the variant that said so; of people's decisions empty
  std::optional<std::int64_t> seed;  ///< of that variant
  std::string status;                ///< as in verdicts/1
  std::optional<std::string> category;
  std::optional<std::string> type;
  std::optional<std::int64_t> first_error_step;
  bool audited = false;  ///< of people's decisions: the case was drawn at random
};

}  // namespace lowbit
