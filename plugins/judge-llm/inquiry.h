// The questions of one judge: one about each item, in the first form that the server accepts, and once more where the
// answer is no verdict, asked until each has an answer in the paid-calls file.
#pragma once

#include <lowbit/sdk.hpp>
#include <string>
#include <utility>
#include <vector>

#include "answer.h"
#include "cases.h"
#include "openai/calls.h"
#include "openai/paid_calls.h"
#include "params.h"
#include "rubric.h"

namespace lowbit::judge_llm {

/// Who asks, by the stage's parameters and seed.
[[nodiscard]] openai::Asker asker_of(const Job& job, const Params& params);

class Inquiry {
 public:
  /// All outlive it.
  Inquiry(const Job& job, const Params& params, const Rubric& rubric, const AnswerReader& reader,
          const std::vector<JudgedItem>& items);

  /// Asks what is not answered. After it every item has an answer. Throws StageError and Cancelled.
  void ask_the_rest();

  /// An item's answer and the calls that were made for it.
  struct Answer {
    const openai::Asked* asked = nullptr;        ///< in the form that was answered
    const nlohmann::json* first = nullptr;       ///< the record of the first answer
    const nlohmann::json* second = nullptr;      ///< and of that after asking once more; null where nobody did
    std::vector<const nlohmann::json*> records;  ///< in all forms up to that, in the order of asking
  };
  /// REQUIRES: ask_the_rest() has returned. Valid as long as this.
  [[nodiscard]] Answer answer(std::size_t item) const;

 private:
  /// By the first form in the order of the ladder that has one; both null where none has.
  [[nodiscard]] std::pair<const openai::Asked*, const nlohmann::json*> find_answer(std::size_t item) const;
  /// Whether the answer is a text that cannot be read.
  [[nodiscard]] bool wants_reask(std::size_t item, const nlohmann::json& first) const;
  [[nodiscard]] bool is_settled(std::size_t item) const;
  [[nodiscard]] std::vector<openai::Message> messages(std::size_t item) const;
  [[nodiscard]] std::string request(std::size_t item, openai::Form form) const;
  [[nodiscard]] std::string reask(std::size_t item, openai::Form form, const nlohmann::json& first) const;
  [[nodiscard]] openai::Turn turn(std::size_t item);
  [[nodiscard]] openai::After ended(std::size_t item, const openai::Call& call);

  const Job& job_;
  const Params& params_;
  const Rubric& rubric_;
  const AnswerReader& reader_;
  const std::vector<JudgedItem>& items_;
  openai::Asker asker_;
  openai::AnswerSchema schema_;
  std::vector<openai::Form> forms_;                ///< the ladder
  std::vector<std::vector<openai::Asked>> asked_;  ///< [item][form]
  openai::PaidCalls paid_;
  openai::Budget budget_;
  std::size_t rung_ = 0;  ///< of forms_: the server refuses those before
  std::size_t n_done_ = 0;
};

}  // namespace lowbit::judge_llm
