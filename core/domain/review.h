// What people decide of solutions: the cases of a review queue, and the ledger's entries about them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lowbit {

/// A line of a review-queue/1 artifact.
struct ReviewCase {
  std::string case_id;  ///< SHA-256 over item, prompt and text
  std::string item_id;
  std::string problem_id;
  std::string reason;  ///< conflict, insufficient, no_error or audit
  bool audited = false;
  std::string problem;
  std::optional<std::string> answer;
  std::optional<std::string> solution;
  std::vector<std::string> reference_steps;
  std::vector<std::string> steps;
  std::string text;
  std::optional<std::string> extracted;
};

/// A review queue of an experiment's last expansion.
struct ReviewQueue {
  std::string experiment;
  std::string label;        ///< of the variant that made it
  std::string taxonomy;     ///< "v1" or "v2"
  std::string predictions;  ///< digest of what was judged
  std::vector<ReviewCase> cases;
};

/// An entry of the review ledger. The last one about a case counts.
struct Decision {
  std::string decision_id;  ///< of its line; see store/review_ledger.h
  std::string case_id;
  std::string item_id;
  std::string problem_id;
  std::string status;  ///< error, no_error, undetermined; withdrawn: as if `withdraws` had not been decided
  std::optional<std::string> category;
  std::optional<std::string> type;
  std::optional<std::uint64_t> first_error_step;
  std::optional<std::string> answer;     ///< reference answer at the time
  std::optional<std::string> extracted;  ///< answer of the solution
  std::string note;
  std::string reviewer;
  std::string decided_at;  ///< RFC 3339 in UTC
  std::string withdraws;   ///< of a withdrawn one: the decision_id that it takes back
};

struct NamedType {
  std::string_view type;
  std::string_view category;  ///< empty in taxonomy v1
  std::string_view words;     ///< for people
};
/// The types of taxonomy "v1" or "v2", in the order of the paper.
[[nodiscard]] const std::vector<NamedType>& error_types(std::string_view taxonomy);
/// Of either taxonomy; null for what is no type.
[[nodiscard]] const NamedType* find_error_type(std::string_view type);

}  // namespace lowbit
