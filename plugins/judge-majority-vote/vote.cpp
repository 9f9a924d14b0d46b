#include "vote.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lowbit::vote {
namespace {

using verdicts::Finding;
using verdicts::Status;

using Counts = std::map<std::string, std::size_t>;

/// The key that more than half of `n` ballots have, if there is one.
std::optional<std::string> majority(const Counts& counts, std::size_t n) {
  for (const auto& [key, count] : counts) {
    if (2 * count > n) return key;
  }
  return std::nullopt;
}

/// The key that at least two of `n` ballots have, or the only one, and more than any other key.
std::optional<std::string> plurality(const Counts& counts, std::size_t n) {
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == counts.end() || (most->second < 2 && n > 1)) return std::nullopt;
  const auto as_many =
      std::count_if(counts.begin(), counts.end(), [&](const auto& entry) { return entry.second == most->second; });
  return as_many == 1 ? std::optional(most->first) : std::nullopt;
}

std::optional<std::string> carried(Rule rule, const Counts& counts, std::size_t n) {
  switch (rule) {
    case Rule::majority: return majority(counts, n);
    case Rule::plurality:
    case Rule::baseline:  // over the other judges: what more than half of them say is also their plurality
      return plurality(counts, n);
    case Rule::unanimous:
      return counts.size() == 1 && counts.begin()->second == n ? std::optional(counts.begin()->first) : std::nullopt;
  }
  return std::nullopt;
}

/// A category without a type is no vote for a type.
std::optional<std::string> vote_for_label(const Ballot& ballot) {
  if (ballot.finding.status == Status::no_error || ballot.finding.type) return label_of(ballot);
  return std::nullopt;
}
std::optional<std::string> vote_for_category(const Ballot& ballot) { return ballot.finding.category; }

using VoteFor = std::optional<std::string> (*)(const Ballot&);

/// What carries the vote, if anything does. `baseline`: null but for Rule::baseline.
std::optional<std::string> winner(Rule rule, const std::vector<const Ballot*>& valid, const Ballot* baseline,
                                  VoteFor vote_for) {
  Counts counts;
  std::size_t n = 0;
  for (const Ballot* ballot : valid) {
    if (ballot == baseline) continue;
    ++n;
    if (const auto key = vote_for(*ballot)) ++counts[*key];
  }
  const auto key = carried(rule, counts, n);
  if (baseline != nullptr && key && key != vote_for(*baseline)) return std::nullopt;
  return key;
}

std::vector<std::size_t> steps_of(const std::vector<const Ballot*>& winners) {
  std::vector<std::size_t> steps;
  for (const Ballot* ballot : winners) {
    if (ballot->finding.first_error_step) steps.push_back(*ballot->finding.first_error_step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

Finding without_majority(Status status, std::string why) {
  return {.status = status, .first_error_step = {}, .category = {}, .type = {}, .explanation = std::move(why)};
}

/// `finding`: what was won.
Outcome won_by(VoteFor vote_for, const std::string& key, const std::vector<const Ballot*>& valid, Finding finding) {
  std::vector<const Ballot*> winners;
  std::copy_if(valid.begin(), valid.end(), std::back_inserter(winners),
               [&](const Ballot* ballot) { return vote_for(*ballot) == key; });
  const auto steps = steps_of(winners);
  Outcome outcome;
  finding.explanation = std::to_string(winners.size()) + " of " + std::to_string(valid.size()) + " valid ballots";
  finding.confidence = static_cast<double>(winners.size()) / static_cast<double>(valid.size());
  if (finding.status == Status::error) {
    finding.first_error_step = steps.empty() ? std::nullopt : std::optional(steps[(steps.size() - 1) / 2]);
    outcome.step_spread = steps.empty() ? 0 : steps.back() - steps.front();
  }
  outcome.finding = std::move(finding);
  return outcome;
}

/// Chance agreement from label shares: sum over labels of the product of both raters' shares.
std::optional<double> kappa(double observed, double by_chance) {
  if (by_chance >= 1) return std::nullopt;
  return (observed - by_chance) / (1 - by_chance);
}

}  // namespace

bool is_valid(const Ballot& ballot) {
  return ballot.finding.status == Status::error || ballot.finding.status == Status::no_error;
}

std::string label_of(const Ballot& ballot) {
  if (ballot.finding.status == Status::no_error) return "no_error";
  return ballot.finding.type ? *ballot.finding.type : ballot.finding.category.value_or("");
}

Outcome counted(const std::vector<Ballot>& ballots, const Counting& counting) {
  std::vector<const Ballot*> valid;
  const Ballot* baseline = nullptr;
  for (const Ballot& ballot : ballots) {
    if (!is_valid(ballot)) continue;
    valid.push_back(&ballot);
    if (counting.rule == Rule::baseline && ballot.judge == counting.baseline) baseline = &ballot;
  }
  if (counting.rule == Rule::baseline && baseline == nullptr) {
    return {.finding = without_majority(Status::insufficient, "no valid ballot of the baseline " + counting.baseline)};
  }
  if (valid.size() < counting.quorum) {
    return {.finding = without_majority(Status::insufficient, std::to_string(valid.size()) + " valid ballots of " +
                                                                  std::to_string(ballots.size()) + ", " +
                                                                  std::to_string(counting.quorum) + " are needed")};
  }
  if (const auto label = winner(counting.rule, valid, baseline, vote_for_label)) {
    return won_by(
        vote_for_label, *label, valid,
        *label == "no_error" ? without_majority(Status::no_error, "") : verdicts::error_of_type(*label, 1, ""));
  }
  if (const auto category = winner(counting.rule, valid, baseline, vote_for_category)) {
    return won_by(vote_for_category, *category, valid,
                  {.status = Status::error, .first_error_step = {}, .category = category, .type = {}});
  }
  if (baseline != nullptr) {
    return {.finding = without_majority(
                Status::conflict, "the other judges have no majority that is " + counting.baseline + "'s verdict")};
  }
  return {.finding = without_majority(
              Status::conflict,
              counting.rule == Rule::majority
                  ? "no type and no category has more than half of " + std::to_string(valid.size()) + " ballots"
                  : "no type and no category carries the vote of " + std::to_string(valid.size()) + " ballots")};
}

std::optional<double> fleiss_kappa(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return std::nullopt;
  const auto n_raters = static_cast<double>(rows.front().size());
  const auto n_rows = static_cast<double>(rows.size());
  std::map<std::string, double> shares;
  double observed = 0;
  for (const auto& row : rows) {
    std::map<std::string, double> counts;
    for (const std::string& label : row) ++counts[label];
    double squares = 0;
    for (const auto& [label, count] : counts) {
      squares += count * count;
      shares[label] += count / (n_raters * n_rows);
    }
    observed += (squares - n_raters) / (n_raters * (n_raters - 1)) / n_rows;
  }
  double by_chance = 0;
  for (const auto& [label, share] : shares) by_chance += share * share;
  if (shares.size() == 1) return std::nullopt;
  return kappa(observed, by_chance);
}

std::optional<double> cohen_kappa(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return std::nullopt;
  const auto n = static_cast<double>(rows.size());
  std::map<std::string, std::pair<double, double>> shares;
  double observed = 0;
  for (const auto& row : rows) {
    shares[row[0]].first += 1 / n;
    shares[row[1]].second += 1 / n;
    observed += row[0] == row[1] ? 1 / n : 0;
  }
  double by_chance = 0;
  for (const auto& [label, share] : shares) by_chance += share.first * share.second;
  if (shares.size() == 1) return std::nullopt;
  return kappa(observed, by_chance);
}

}  // namespace lowbit::vote
