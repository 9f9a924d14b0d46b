// From what a judge wrote to a verdict, by a rule that never guesses. The strict rule:
//
// 1. A reasoning block `<think>...</think>` at the beginning is dropped.
// 2. What is left holds exactly one JSON object, alone, in a code fence, or with other text around it. An object begins
//    at a brace followed by a quotation mark, white space between them allowed, so braces in formulas are text.
// 3. The object is well-formed, no key stands in it twice, and it fits the rubric's answer_schema; null stands for an
//    optional member that is not there, since strict forms of answer require every member.
// 4. Its members agree: `status` error comes with a type, or a category, of the rubric's taxonomy; the other two with
//    neither and without a step; a step is one of the solution's; a category is that of the type.
//
// Everything else is `invalid`, or repaired as far as that takes no guess (repair.h). Members: `status` (error,
// no_error, undetermined), `type`, `category`, `first_error_step`, `explanation`, `confidence`; a missing one is null;
// others are for the judge's own use and are not read.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "openai/chat.h"
#include "repair.h"
#include "rubric.h"

namespace lowbit::judge_llm {

struct Judgement {
  std::string status = "invalid";
  nlohmann::json type, category, first_error_step, explanation, confidence;  ///< null when there is none
  std::string why;                                                           ///< why it is invalid
  Repairs repairs;                                                           ///< what was needed to read it
};

class AnswerReader {
 public:
  /// Throws StageError(LB_BAD_INPUT) when answer_schema is no JSON Schema.
  explicit AnswerReader(const Rubric& rubric);
  ~AnswerReader();
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;

  /// By the strict rule.
  [[nodiscard]] Judgement read(const std::string& text, std::size_t n_steps) const;
  /// With repairs. `truncated`: the text was cut at the token limit.
  [[nodiscard]] Judgement read_repaired(const std::string& text, std::size_t n_steps, bool truncated) const;
  /// The strict rule first, then with repairs; `why` is the strict rule's, or that of the completion.
  [[nodiscard]] Judgement judge(const openai::Completion& completion, std::size_t n_steps) const;

 private:
  [[nodiscard]] Judgement judged(nlohmann::json answer, std::size_t n_steps) const;

  struct Schema;
  std::string taxonomy_;
  std::unique_ptr<Schema> schema_;
};

}  // namespace lowbit::judge_llm
