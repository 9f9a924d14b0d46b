// What several judges say of one solution, as one verdict, and how much they agree.
//
// Valid ballots are those with status error or no_error; a judge that cannot tell, or whose answer cannot be read,
// abstains. With fewer valid ballots than the quorum the vote is insufficient. Otherwise, over the valid ballots:
//   1. a label (a type, or "no error") with more than half of them wins;
//   2. else a category with more than half of them wins, and the type stays open;
//   3. else the vote is a conflict. Exactly half is no majority: a tie is a conflict and never broken.
// The step is the median over the ballots of the winning side that name one, the earlier of two middle ones. The
// confidence is the winning side's share of the valid ballots.
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

/// Status error, no_error, conflict or insufficient.
[[nodiscard]] verdicts::Finding counted(const std::vector<Ballot>& ballots, std::size_t quorum);

/// Fleiss' kappa; each row holds the labels of one item, all rows the same number, at least two (for two raters this is
/// Scott's pi). Nothing without rows, and when one label is all there is.
/// Source: J. L. Fleiss, Measuring nominal scale agreement among many raters, 1971.
[[nodiscard]] std::optional<double> fleiss_kappa(const std::vector<std::vector<std::string>>& rows);
/// Cohen's kappa of two judges. Source: J. Cohen, A coefficient of agreement for nominal scales, 1960.
[[nodiscard]] std::optional<double> cohen_kappa(const std::vector<std::vector<std::string>>& rows);

}  // namespace lowbit::vote
