// A task whose prompts begin with solved examples, as models that were not tuned for instructions need it.
//
//   <question><target_delimiter><answer><fewshot_delimiter>   for each example, then the task's own prompt
#pragma once

#include <lowbit/sdk.hpp>
#include <string>
#include <vector>

#include "tasks/task.h"

namespace lowbit::benchmarks {

struct FewShotParams {
  std::int64_t num_fewshot = 0;
  std::string prompt_template;
  std::string question;
  std::string answer = "solution";
  std::string target_delimiter = " ";
  std::string fewshot_delimiter = "\n\n";
  std::string choice = "first";
  std::int64_t seed = 0;
  std::vector<std::string> stop;

  static auto fields() {
    return lowbit::fields<FewShotParams>(
        field(&FewShotParams::num_fewshot, "num_fewshot")
            .required()
            .at_least(1)
            .unit("items")
            .doc("examples in front of every problem"),
        field(&FewShotParams::prompt_template, "template")
            .doc("what is asked, with `{{examples}}` where they stand, `{{problem}}` and fields; empty: the task's own "
                 "template behind the examples"),
        field(&FewShotParams::question, "question")
            .doc("how an example's question is written, with `{{problem}}` and fields of the example; empty: by the "
                 "task's own template"),
        field(&FewShotParams::answer, "answer")
            .one_of("solution", "plain", "tagged")
            .doc(
                "how an example's answer is written: its solution as it is, or steps and answer in one of lowbit's two "
                "forms"),
        field(&FewShotParams::target_delimiter, "target_delimiter").doc("between question and answer of an example"),
        field(&FewShotParams::fewshot_delimiter, "fewshot_delimiter").doc("behind every example"),
        field(&FewShotParams::choice, "choice")
            .one_of("first", "random")
            .doc("which examples: the first ones, or those with the smallest SHA-256 of `<seed>/<item id>`"),
        field(&FewShotParams::seed, "seed").at_least(0).doc("choice random: another one takes other examples"),
        field(&FewShotParams::stop, "stop")
            .doc("texts at which an answer ends, beside the task's: what a model would write to go on with a next "
                 "problem, such as `Problem:`"));
  }
};

/// The examples as one text. Throws StageError{LB_BAD_INPUT} for an example that cannot be written so.
[[nodiscard]] std::string written(const std::vector<tasks::Item>& examples, const tasks::Task& task,
                                  const FewShotParams& params);

/// Throws StageError{LB_BAD_PARAM} for a template without examples.
void check_few_shot(const Job& job, const FewShotParams& params);
void write_few_shot(const Job& job, const FewShotParams& params);

}  // namespace lowbit::benchmarks
