// Steps 1 to 4 of the recipe: which right and wrong answers make pairs, and which of these may be learned from.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "members.h"
#include "pair.h"

namespace lowbit::pairs {

/// Pairs left after a step, by the step's name, and pairs left out, by reason.
struct Counts {
  std::map<std::string, std::size_t> left, dropped;
};

struct CandidateRules {
  bool chosen_keeps_format = false, rejected_keeps_format = false;
  bool judged = false;               ///< grades or verdicts are there
  bool keep_unresolved = false;      ///< pairs whose error nobody names stay
  std::set<std::string> categories;  ///< wanted ones; empty: all
  std::set<std::string> held_out;    ///< ids of items that must not be learned from
  std::function<bool(const std::string& prompt, const std::string& completion)> too_long;
};

/// An item as it is asked, and what ends a completion.
struct Asked {
  const tasks::Item* item;
  std::string prompt, end;
};

class Candidates {
 public:
  explicit Candidates(CandidateRules rules) : rules_(std::move(rules)) {}

  void offer(const Asked& asked, const Prediction& chosen, const Prediction& rejected, const nlohmann::json& at);

  [[nodiscard]] const std::vector<Pair>& pairs() const { return pairs_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void drop(const std::string& reason) { ++counts_.dropped[reason]; }
  /// The reason to leave a pair with this wrong answer out; empty: none.
  [[nodiscard]] std::string objection(const Prediction& rejected) const;

  CandidateRules rules_;
  std::vector<Pair> pairs_;
  Counts counts_;
  std::set<std::tuple<std::string, std::string, std::string>> seen_;
};

}  // namespace lowbit::pairs
