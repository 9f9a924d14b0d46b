// What a result answered, item by item, and what graders, judges and people say of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lowbit {

/// A predictions/1 artifact of a result.
struct PredictionsPlace {
  std::int64_t result_id = 0;
  std::string label;
  std::string port;
  std::string digest;
  std::optional<std::string> task_path;  ///< of the task/1 that was answered, relative to .lowbit; outside: absolute
  std::size_t n = 0;
  std::size_t n_right = 0;
  std::size_t n_ungraded = 0;

  [[nodiscard]] std::size_t n_wrong() const { return n - n_right - n_ungraded; }
};

/// A result that speaks of these predictions, as the last expansions have it.
struct MarksPlace {
  std::int64_t result_id = 0;
  std::string label;
  std::string port;
  std::string type;                  ///< grades/1 or verdicts/1
  std::vector<std::string> sources;  ///< of verdicts: judges, `vote` or `human`; of grades: prediction, vote, human
  std::size_t n = 0;
  std::size_t n_human = 0;  ///< lines that a person decided
};

/// What one of them says of an item.
struct Mark {
  std::string label;
  std::string source;           ///< of a grade who decided it, of a verdict the judge
  std::string status;           ///< of a verdict: error, no_error, ...; of a grade empty
  std::optional<bool> correct;  ///< of a grade
  std::optional<std::string> category;
  std::optional<std::string> type;
  std::optional<std::int64_t> first_error_step;
};

/// What the task asks in an item.
struct Question {
  std::string problem;
  std::optional<std::string> reference;  ///< the answer that is right
};

struct Sample {
  std::string item_id;
  std::string problem_id;
  std::optional<bool> correct;  ///< as the prediction has it; empty: not graded
  std::string text;
  std::optional<std::string> extracted;
  std::optional<std::int64_t> n_tokens;
  bool truncated = false;
  std::vector<Mark> marks;
  std::optional<Question> question;
};

/// Which items are meant: all conditions hold.
struct SampleFilter {
  enum class Grade { any, right, wrong, ungraded };
  Grade grade = Grade::any;
  std::string error;    ///< type or category that a grade or verdict names; empty: any
  std::string item_id;  ///< empty: any
};

}  // namespace lowbit
