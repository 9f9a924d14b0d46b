#include "overlap/overlap.h"

#include <algorithm>
#include <array>
#include <optional>

#include "overlap/words.h"

namespace lowbit::overlap {

Subjects::Subjects(const std::vector<Text>& subjects) : n_subjects_(subjects.size()) {
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const std::string text = normalised(subjects[i].text);
    const auto runs = runs_of(text);
    for (const std::uint64_t run : runs) by_run_[run].push_back(i);
    n_runs_.push_back(runs.size());
    by_text_[text].push_back(i);
    by_problem_[subjects[i].problem_id].push_back(i);
  }
}

std::vector<Match> Subjects::matches(const std::vector<Text>& others, double least_overlap) const {
  std::array<std::vector<std::optional<Match>>, 3> found;
  for (auto& of_rule : found) of_rule.resize(n_subjects_);
  const auto offer = [&](const Match& match) {
    auto& best = found[static_cast<std::size_t>(match.rule)][match.subject];
    if (!best || match.overlap > best->overlap) best = match;
  };
  for (std::size_t other = 0; other < others.size(); ++other) {
    const std::string text = normalised(others[other].text);
    if (const auto same = by_text_.find(text); same != by_text_.end()) {
      for (const std::size_t subject : same->second) offer({Rule::exact_text, subject, other});
    }
    if (const auto same = by_problem_.find(others[other].problem_id); same != by_problem_.end()) {
      for (const std::size_t subject : same->second) offer({Rule::problem_id, subject, other});
    }
    if (least_overlap > 1) continue;
    std::unordered_map<std::size_t, std::size_t> n_shared;
    for (const std::uint64_t run : runs_of(text)) {
      const auto holders = by_run_.find(run);
      if (holders == by_run_.end()) continue;
      for (const std::size_t subject : holders->second) ++n_shared[subject];
    }
    for (const auto& [subject, shared] : n_shared) {
      const double overlap = static_cast<double>(shared) / static_cast<double>(n_runs_[subject]);
      if (overlap >= least_overlap) offer({Rule::run, subject, other, overlap});
    }
  }
  std::vector<Match> all;
  for (std::size_t subject = 0; subject < n_subjects_; ++subject) {
    for (const auto& of_rule : found) {
      if (of_rule[subject]) all.push_back(*of_rule[subject]);
    }
  }
  return all;
}

}  // namespace lowbit::overlap
