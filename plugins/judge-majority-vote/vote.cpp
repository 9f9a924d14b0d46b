#include "vote.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lowbit::vote {
namespace {

using verdicts::Finding;
using verdicts::Status;

/// The key that more than half of `n` ballots have, if there is one.
std::optional<std::string> majority(const std::map<std::string, std::size_t>& counts, std::size_t n) {
  for (const auto& [key, count] : counts) {
    if (2 * count > n) return key;
  }
  return std::nullopt;
}

std::optional<std::size_t> median_step(const std::vector<const Ballot*>& winners) {
  std::vector<std::size_t> steps;
  for (const Ballot* ballot : winners) {
    if (ballot->finding.first_error_step) steps.push_back(*ballot->finding.first_error_step);
  }
  if (steps.empty()) return std::nullopt;
  std::sort(steps.begin(), steps.end());
  return steps[(steps.size() - 1) / 2];
}

Finding won_by(const std::vector<const Ballot*>& winners, std::size_t n_valid, Finding finding) {
  if (finding.status == Status::error) finding.first_error_step = median_step(winners);
  finding.confidence = static_cast<double>(winners.size()) / static_cast<double>(n_valid);
  finding.explanation = std::to_string(winners.size()) + " of " + std::to_string(n_valid) + " valid ballots";
  return finding;
}

Finding without_majority(Status status, std::string why) {
  return {.status = status, .first_error_step = {}, .category = {}, .type = {}, .explanation = std::move(why)};
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

Finding counted(const std::vector<Ballot>& ballots, std::size_t quorum) {
  std::vector<const Ballot*> valid;
  for (const Ballot& ballot : ballots) {
    if (is_valid(ballot)) valid.push_back(&ballot);
  }
  if (valid.size() < quorum) {
    return without_majority(Status::insufficient, std::to_string(valid.size()) + " valid ballots of " +
                                                      std::to_string(ballots.size()) + ", " + std::to_string(quorum) +
                                                      " are needed");
  }
  std::map<std::string, std::size_t> labels;
  std::map<std::string, std::size_t> categories;
  for (const Ballot* ballot : valid) {
    // A category without a type is no vote for a type.
    if (ballot->finding.status == Status::no_error || ballot->finding.type) ++labels[label_of(*ballot)];
    if (ballot->finding.category) ++categories[*ballot->finding.category];
  }
  const auto side = [&](const auto& belongs) {
    std::vector<const Ballot*> winners;
    std::copy_if(valid.begin(), valid.end(), std::back_inserter(winners), belongs);
    return winners;
  };
  if (const auto label = majority(labels, valid.size())) {
    const auto winners = side([&](const Ballot* b) { return label_of(*b) == *label; });
    return won_by(
        winners, valid.size(),
        *label == "no_error" ? without_majority(Status::no_error, "") : verdicts::error_of_type(*label, 1, ""));
  }
  if (const auto category = majority(categories, valid.size())) {
    const auto winners = side([&](const Ballot* b) { return b->finding.category == category; });
    return won_by(winners, valid.size(),
                  {.status = Status::error, .first_error_step = {}, .category = category, .type = {}});
  }
  return without_majority(Status::conflict,
                          "no type and no category has more than half of " + std::to_string(valid.size()) + " ballots");
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
