// What several judges say of one solution, as one verdict, and how much they agree.
//
// Valid ballots are those with status error or no_error; a judge that cannot tell, or whose answer cannot be read,
// abstains. With fewer valid ballots than the quorum the vote is insufficient. Otherwise a label (a type, or "no
// error") that carries the vote by the rule wins; else a category that carries it wins, and the type stays open; else
// the vote is a conflict. What carries, by rule:
//   majority   more than half of the valid ballots
//   plurality  at least two ballots, and more than any other label (category); a single valid ballot alone
//   unanimous  all valid ballots
//   baseline   the baseline judge's own ballot, where it is also the majority or the plurality of the other judges;
//              without a valid ballot of the baseline the vote is insufficient
// A tie is a conflict and never broken. The step is the median over the ballots of the winning side that name one, the
// earlier of two middle ones. The confidence is the winning side's share of the valid ballots.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "verdicts/verdict.h"

namespace lowbit::vote {

struct Ballot {
  std::string judge;
  verdicts::Finding finding;
};
[[nodiscard]] bool is_valid(const Ballot& ballot);
/// The type, the category where there is no type, or "no_error". REQUIRES: valid.
[[nodiscard]] std::string label_of(const Ballot& ballot);

enum class Rule { majority, plurality, unanimous, baseline };

struct Counting {
  Rule rule = Rule::majority;
  std::size_t quorum = 2;     ///< valid ballots, the baseline's among them
  std::string baseline = {};  ///< name of a judge; of Rule::baseline
};

struct Outcome {
  verdicts::Finding finding;  ///< status error, no_error, conflict or insufficient
  /// Last less first step that the winning side names; 0 where it names fewer than two.
  std::size_t step_spread = 0;
};
/// REQUIRES: with Rule::baseline at most one ballot of the baseline.
[[nodiscard]] Outcome counted(const std::vector<Ballot>& ballots, const Counting& counting);

/// Fleiss' kappa; each row holds the labels of one item, all rows the same number, at least two (for two raters this is
/// Scott's pi). Nothing without rows, and when one label is all there is.
/// Source: J. L. Fleiss, Measuring nominal scale agreement among many raters, 1971.
[[nodiscard]] std::optional<double> fleiss_kappa(const std::vector<std::vector<std::string>>& rows);
/// Cohen's kappa of two judges. Source: J. Cohen, A coefficient of agreement for nominal scales, 1960.
[[nodiscard]] std::optional<double> cohen_kappa(const std::vector<std::vector<std::string>>& rows);

}  // namespace lowbit::vote
