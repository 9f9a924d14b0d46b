// dataset-sft-pairs: a task's problems and reference solutions as examples to train on.
#include <algorithm>
#include <lowbit/sdk.hpp>

#include "tasks/task.h"

using namespace lowbit;

namespace {

struct Params {
  std::string response_format = "plain";
  std::int64_t n = 0;
  std::string end_token = "<eos>";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::response_format, "response_format")
            .one_of("plain", "tagged")
            .doc("how solutions are written: steps line by line, or steps and answer in tags"),
        field(&Params::n, "n").at_least(0).unit("items").doc("the first items of the task; 0: all"),
        field(&Params::end_token, "end_token").doc("written behind every completion; the model's own end token"));
  }
};

void write_pairs(const Job& job, const Params& params) {
  const tasks::Task task = tasks::read_task(job.input("task").path);
  tasks::expect_plain_generation(task);
  const std::size_t n = params.n == 0 ? task.items.size() : static_cast<std::size_t>(params.n);
  if (n > task.items.size()) {
    throw StageError(LB_BAD_INPUT, {.what = "the task has too few items",
                                    .where = "n",
                                    .why = "wanted are " + std::to_string(n) + ", task " + task.name + " has " +
                                           std::to_string(task.items.size()),
                                    .fix = "lower n, or make a larger task"});
  }
  const auto format = answers::format_named(params.response_format);
  JsonLinesWriter out(job.output("pairs") / "pairs.jsonl");
  for (std::size_t i = 0; i < n; ++i) {
    job.tick(i, n, "items");
    const tasks::Item& item = task.items[i];
    out.write({{"item_id", item.item_id},
               {"problem_id", item.problem_id},
               {"prompt", tasks::prompt_of(task, item)},
               {"completion", tasks::completion_of(item, format) + params.end_token}});
  }
  out.close();
  job.metric("data/n_items", static_cast<double>(n), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER, Stage("lowbit.sft-pairs", LB_DATASET)
                                   .version("1")
                                   .summary("A task's problems and reference solutions as examples to train on.")
                                   .input("task", "task/1", "problems with reference steps and answers")
                                   .output("pairs", "sft-pairs/1", "prompt and completion of each item")
                                   .run<write_pairs>())
