#include "overlap.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <unordered_set>

namespace lowbit::contamination {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

/// Distinct runs of kRun words of a normalised text.
std::unordered_set<std::uint64_t> runs_of(std::string_view text) {
  std::vector<std::size_t> begins{0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') begins.push_back(i + 1);
  }
  begins.push_back(text.size() + 1);  // where a next word would begin
  std::unordered_set<std::uint64_t> runs;
  for (std::size_t i = 0; i + kRun < begins.size(); ++i) {
    runs.insert(std::hash<std::string_view>()(text.substr(begins[i], begins[i + kRun] - 1 - begins[i])));
  }
  return runs;
}

}  // namespace

std::string normalised(std::string_view text) {
  std::string result;
  bool in_word = false;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank && !(in_word && is_word(c)) && !result.empty()) result += ' ';
    if (!blank) result += c;
    in_word = is_word(c);
  }
  return result;
}

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

}  // namespace lowbit::contamination
