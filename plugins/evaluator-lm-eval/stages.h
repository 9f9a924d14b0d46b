// What lm-evaluation-harness wrote, as stages: its numbers, its questions, its answers.
#pragma once

#include <lowbit/sdk.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace lowbit::lm_eval {

struct ResultsParams {
  std::string time;
  std::vector<std::string> tasks, metrics;

  static auto fields() {
    return lowbit::fields<ResultsParams>(
        field(&ResultsParams::time, "time")
            .doc("which of several results files: what stands between `results_` and `.json` in its name"),
        field(&ResultsParams::tasks, "tasks").doc("tasks and groups to take; empty: all"),
        field(&ResultsParams::metrics, "metrics").doc("metrics to take, by their names in the file; empty: all"));
  }
};

/// Which samples are meant.
struct SamplesParams {
  std::string time, task, filter, problem_field;

  template <class P>
  static auto samples_fields() {
    return lowbit::fields<P>(
        field(static_cast<std::string P::*>(&P::time), "time")
            .doc("which of several results files: what stands between `results_` and `.json` in its name"),
        field(static_cast<std::string P::*>(&P::task), "task")
            .doc("the task whose samples are taken; empty: the only one"),
        field(static_cast<std::string P::*>(&P::filter), "filter")
            .doc("the filter whose answers are taken; empty: the only one"),
        field(static_cast<std::string P::*>(&P::problem_field), "problem_field")
            .doc("field of the data set's rows that holds the question; empty: the first of those that data sets "
                 "commonly have"));
  }
};

struct TaskParams : SamplesParams {
  bool whole_prompt = false;
  std::string grader, answer_after;

  static auto fields() {
    return std::tuple_cat(
        samples_fields<TaskParams>(),
        lowbit::fields<TaskParams>(
            field(&TaskParams::whole_prompt, "whole_prompt")
                .doc("the problem is the prompt as the model got it, with instructions and examples"),
            field(&TaskParams::grader, "grader")
                .one_of("", "lowbit.v1", "math-verify", "hendrycks-math", "prm800k", "lm-eval-minerva",
                        "opencompass-v1", "opencompass-v2", "gsm8k-strict", "gsm8k-flexible")
                .doc("grader of answers that lowbit generates to these questions: docs/answers.md; empty: none"),
            field(&TaskParams::answer_after, "answer_after")
                .doc("the reference answer is what follows the last of these in the target, such as ####; empty: the "
                     "whole target")));
  }
};

struct PredictionsParams : SamplesParams {
  std::string metric;

  static auto fields() {
    return std::tuple_cat(samples_fields<PredictionsParams>(),
                          lowbit::fields<PredictionsParams>(
                              field(&PredictionsParams::metric, "metric")
                                  .doc("the metric that says which answers are right; empty: the first of acc, "
                                       "exact_match and acc_norm that the task has")));
  }
};

void take_results(const Job& job, const ResultsParams& params);
void take_task(const Job& job, const TaskParams& params);
void take_predictions(const Job& job, const PredictionsParams& params);

}  // namespace lowbit::lm_eval
