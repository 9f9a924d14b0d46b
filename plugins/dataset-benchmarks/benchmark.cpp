#include "benchmark.h"

#include <unordered_set>

#include "tasks/choice.h"

namespace lowbit::benchmarks {

tasks::Task empty_task(const BenchmarkParams& params) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (params.name.find_first_not_of(kAllowed) != std::string::npos) {
    throw StageError(LB_BAD_PARAM, {.what = "no task can have that name",
                                    .where = "name",
                                    .why = "it is " + params.name + ", and metrics are named after it",
                                    .fix = "use letters, digits, `_`, `.` and `-` only"});
  }
  tasks::Task task{.name = params.name,
                   .system = {},
                   .stop = params.stop,
                   .response_format = params.response_format,
                   .grader = params.grader,
                   .items = {}};
  tasks::set_prompt(task, params);
  return task;
}

void publish(const Job& job, tasks::Task task, const BenchmarkParams& params) {
  if (task.items.empty()) {
    throw StageError(LB_BAD_INPUT, {.what = "no record can be used",
                                    .where = "records",
                                    .why = "none is there, or the parameters leave none",
                                    .fix = "check the input, and the parameters that choose among its records"});
  }
  std::vector<std::string> ids;
  std::unordered_set<std::string> seen;
  for (const tasks::Item& item : task.items) {
    if (!seen.insert(item.item_id).second) {
      throw StageError(LB_BAD_INPUT, {.what = "two records have the same id",
                                      .where = "records, item " + item.item_id,
                                      .why = "ids are the records' own, or follow from their paths",
                                      .fix = "take one of them out of the input"});
    }
    ids.push_back(item.item_id);
  }
  std::vector<tasks::Item> items;
  for (const std::size_t i : tasks::chosen(ids, params.n, tasks::choice_named(params.choice), params.seed)) {
    items.push_back(std::move(task.items[i]));
  }
  task.items = std::move(items);
  tasks::write_task(job.output("task"), task);
  job.metric("data/n_items", static_cast<double>(task.items.size()), "items");
}

}  // namespace lowbit::benchmarks
