// Which problems of one set also stand in another: by id, by text, by shared runs of 13 words
// (words.h).
//
// The share of 13-word runs is that of the subject's distinct runs which one other problem has as well. It finds copies
// with other beginnings or endings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace lowbit::overlap {

struct Text {
  std::string item_id, problem_id, text;
};

enum class Rule { exact_text, problem_id, run };

struct Match {
  Rule rule = Rule::exact_text;
  std::size_t subject = 0;  ///< index
  std::size_t other = 0;    ///< index
  double overlap = 1;       ///< of runs; 1 for the other rules
};

class Subjects {
 public:
  explicit Subjects(const std::vector<Text>& subjects);

  /// At most one match for each subject and rule: the first equal one, the largest overlap of at least `least_overlap`
  /// (0 < least_overlap). `least_overlap` above 1: runs are not compared. In order of subjects, then rules.
  [[nodiscard]] std::vector<Match> matches(const std::vector<Text>& others, double least_overlap) const;

 private:
  std::size_t n_subjects_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_text_, by_problem_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_run_;
  std::vector<std::size_t> n_runs_;
};

}  // namespace lowbit::overlap
