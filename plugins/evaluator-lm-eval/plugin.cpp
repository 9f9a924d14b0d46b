// evaluator-lm-eval: what lm-evaluation-harness measured, beside what lowbit measures. docs/interchange-in.md.
#include <lowbit/sdk.hpp>

#include "stages.h"

using namespace lowbit;

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.lm-eval-results", LB_DATASET)
                  .version("1")
                  .summary("Numbers that lm-evaluation-harness measured, of all tasks and groups.")
                  .input("results", "file", "its output directory, or a results_*.json")
                  .output("facts", "file", "facts.json: versions, model, prompts and samples behind the numbers")
                  .run<lm_eval::take_results>(),
              Stage("lowbit.lm-eval-task", LB_DATASET)
                  .version("1")
                  .summary("The questions of a task that lm-evaluation-harness asked.")
                  .input("results", "file", "its output directory, written with --log_samples")
                  .output("task", "task/1", "the items, in the order of the data set")
                  .run<lm_eval::take_task>(),
              Stage("lowbit.lm-eval-predictions", LB_EVALUATOR)
                  .version("1")
                  .summary("Answers to a task that lm-evaluation-harness graded, item by item.")
                  .input("results", "file", "its output directory, written with --log_samples")
                  .input("task", "task/1",
                         "the questions: of lowbit.lm-eval-task, or lowbit's own of the same data set")
                  .output("predictions", "predictions/1", "text, answer and grade of each item")
                  .run<lm_eval::take_predictions>())
