// What readers of benchmarks have in common: how items are asked, read and graded, and which of them are taken.
#pragma once

#include <lowbit/sdk.hpp>
#include <optional>
#include <string>
#include <vector>

#include "answers/grade.h"
#include "tasks/prompt_params.h"

namespace lowbit::benchmarks {

struct BenchmarkParams : tasks::PromptParams {
  std::string name;
  std::string response_format = "plain";
  std::string grader = std::string(answers::kGrader);
  std::vector<std::string> stop;
  std::string split;
  std::int64_t n = 0;
  std::string choice = "first";
  std::int64_t seed = 0;
};

template <class P>
auto benchmark_fields() {
  return std::tuple_cat(
      tasks::prompt_fields<P>(),
      fields<P>(
          field(static_cast<std::string P::*>(&P::name), "name")
              .not_empty()
              .doc("name of the task, and first part of its metrics' names: letters, digits, `_`, `.` and `-`"),
          field(static_cast<std::string P::*>(&P::response_format), "response_format")
              .one_of("plain", "tagged")
              .doc("how answers are meant to be written"),
          field(static_cast<std::string P::*>(&P::grader), "grader")
              .one_of(std::string(answers::kGrader), "math-verify", "hendrycks-math", "prm800k", "lm-eval-minerva",
                      "opencompass-v1", "opencompass-v2", "gsm8k-strict", "gsm8k-flexible")
              .doc("whose rules decide what is right: docs/answers.md"),
          field(static_cast<std::vector<std::string> P::*>(&P::stop), "stop").doc("texts at which an answer ends"),
          field(static_cast<std::string P::*>(&P::split), "split")
              .doc("first part of the ids of records that do not name theirs, such as test"),
          field(static_cast<std::int64_t P::*>(&P::n), "n").at_least(0).unit("items").doc("items taken; 0: all"),
          field(static_cast<std::string P::*>(&P::choice), "choice")
              .one_of("first", "random")
              .doc("which n: the first ones, or those with the smallest SHA-256 of `<seed>/<item id>`"),
          field(static_cast<std::int64_t P::*>(&P::seed), "seed")
              .at_least(0)
              .doc("choice random: another one takes other items; not the experiment's seed")));
}

/// A task without items. Throws StageError{LB_BAD_PARAM} for a name that no task can have.
[[nodiscard]] tasks::Task empty_task(const BenchmarkParams& params);

/// Keeps n of the items, writes the task and reports its size. Throws StageError{LB_BAD_INPUT} without items, and for
/// an id that two have.
void publish(const Job& job, tasks::Task task, const BenchmarkParams& params);

}  // namespace lowbit::benchmarks
