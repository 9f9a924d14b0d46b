// dataset-benchmarks: published problems as tasks, and examples in front of them. README.md.
#include <lowbit/sdk.hpp>

#include "few_shot.h"
#include "gsm8k.h"
#include "math_problems.h"

using namespace lowbit;

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.math", LB_DATASET)
                  .version("1")
                  .summary("Problems of MATH or MATH-500, by subject and level.")
                  .input("records", "file", "JSON Lines, or a directory with a JSON file for each problem")
                  .output("task", "task/1", "the problems with solutions and boxed answers")
                  .run<benchmarks::write_math>(),
              Stage("lowbit.gsm8k", LB_DATASET)
                  .version("1")
                  .summary("Word problems of GSM8K.")
                  .input("records", "file", "JSON Lines with `question` and `answer`")
                  .output("task", "task/1", "the problems with steps and answers")
                  .run<benchmarks::write_gsm8k>(),
              Stage("lowbit.few-shot", LB_DATASET)
                  .version("1")
                  .summary("A task whose prompts begin with solved examples.")
                  .input("task", "task/1", "the problems")
                  .input("examples", "task/1", "where examples are taken from; none may be a problem of the task")
                  .output("task", "task/1", "the same items, asked behind the examples")
                  .check<benchmarks::check_few_shot>()
                  .run<benchmarks::write_few_shot>())
