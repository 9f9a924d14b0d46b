// The questions of lowbit.api-generate: each item of a task, as many times as samples are wanted, asked until every one
// has an answer of the model in the paid-calls file.
#pragma once

#include <lowbit/sdk.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "openai/params.h"
#include "tasks/task.h"

namespace lowbit::api_generate {

struct Params : openai::CallParams {
  std::string endpoint;
  std::string api = "auto";
  std::string response_format = "plain";
  std::int64_t samples = 1;
  std::optional<double> top_p;
  bool supports_seed = true;

  static auto fields() {
    return std::tuple_cat(
        lowbit::fields<Params>(
            field(&Params::endpoint, "endpoint")
                .required()
                .not_empty()
                .doc("your name of the server; its address and key stand in LOWBIT_API_URL and LOWBIT_API_KEY"),
            field(&Params::api, "api")
                .one_of("auto", "chat", "completions")
                .doc("chat: the prompt is a message, and the server applies the model's chat template; completions: it "
                     "is "
                     "continued as it stands; auto: as the task's `prompt.chat` says"),
            field(&Params::response_format, "response_format")
                .one_of("plain", "tagged")
                .doc("how the answer is read: steps line by line, or steps and answer in tags"),
            field(&Params::samples, "samples")
                .range(1, 10000)
                .doc("answers to each item; with several, their ids are ID#1, ID#2 and so on"),
            field(&Params::top_p, "top_p")
                .above(0)
                .at_most(1)
                .doc("share of the likeliest tokens that are drawn from; null: not sent"),
            field(&Params::supports_seed, "supports_seed")
                .doc("false: no seed is sent with what is sampled, for a server that refuses it")),
        openai::call_fields<Params>());
  }
};

/// Refuses parameters that contradict each other or the task. Throws StageError(LB_BAD_PARAM).
void expect_askable(const Params& params, const tasks::Task& task);

class Generation {
 public:
  /// All outlive it. REQUIRES: expect_askable().
  Generation(const Job& job, const Params& params, const tasks::Task& task);

  /// Asks what is not answered. After it every question has an answer. Throws StageError and Cancelled.
  void ask_the_rest();

  struct Question {
    const tasks::Item* item = nullptr;
    openai::Asked asked;     ///< `item_id` is that of the prediction
    std::string prompt_sha;  ///< of the plain prompt, or of the messages as JSON
  };
  /// The samples of an item stand together.
  [[nodiscard]] const std::vector<Question>& questions() const { return questions_; }
  /// The record of its answer. REQUIRES: ask_the_rest() has returned.
  [[nodiscard]] const nlohmann::json& answer(const Question& question) const;
  /// The calls behind it, in the order of the file.
  [[nodiscard]] std::vector<const nlohmann::json*> records(const Question& question) const;
  [[nodiscard]] const openai::Asker& asker() const { return asker_; }

 private:
  [[nodiscard]] std::string request(const tasks::Item& item, const std::string& prediction_id) const;
  [[nodiscard]] openai::Turn turn(const Question& question);
  [[nodiscard]] openai::After ended(const Question& question, openai::Call call);

  const Job& job_;
  const Params& params_;
  const tasks::Task& task_;
  bool chat_;
  openai::Asker asker_;
  std::vector<Question> questions_;
  openai::PaidCalls paid_;
  openai::Budget budget_;
  std::size_t n_done_ = 0;
};

}  // namespace lowbit::api_generate
