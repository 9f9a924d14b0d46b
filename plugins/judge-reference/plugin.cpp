// judge-reference: the reference judge. What it knows and does not: docs/judging.md.
#include <lowbit/sdk.hpp>

#include <map>
#include <unordered_map>

#include "reference_judge.h"
#include "tasks/item_index.h"
#include "verdicts/verdict.h"

using namespace lowbit;

namespace {

verdicts::Finding finding_for(const tasks::Item& item, const verdicts::Prediction& prediction) {
  const auto unread = [](const char* why) {
    return verdicts::Finding{.status = verdicts::Status::undetermined,
                             .first_error_step = {},
                             .category = {},
                             .type = {},
                             .explanation = why};
  };
  if (!item.steps || !item.answer) return unread("the task has no reference solution to this item");
  const auto reference = judge::Reference::read(item.problem, *item.steps, *item.answer);
  if (!reference) return unread("the reference solution is not a chain of equations that ends at its answer");
  return judge::judge(*reference, prediction.steps, prediction.extracted);
}

void judge_all(const Job& job) {
  const tasks::Task task = tasks::read_task(job.input("task").path);
  const tasks::ItemIndex items(task);
  const auto predictions = verdicts::read_predictions(job.input("predictions").path);
  std::map<verdicts::Status, std::size_t> counts;
  JsonLinesWriter out(job.output("verdicts") / "verdicts.jsonl");
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    job.tick(i, predictions.size(), "items");
    const verdicts::Prediction& prediction = predictions[i];
    const verdicts::Finding finding = finding_for(items.at(prediction.item_id), prediction);
    ++counts[finding.status];
    out.write(verdicts::json_of(finding, prediction.item_id, "reference"));
  }
  out.close();
  job.metric("judge/n_items", static_cast<double>(predictions.size()), "items");
  if (predictions.empty()) return;
  const auto n = static_cast<double>(predictions.size());
  for (const auto status : {verdicts::Status::error, verdicts::Status::no_error, verdicts::Status::undetermined}) {
    job.metric("judge/" + std::string(verdicts::name_of(status)), static_cast<double>(counts[status]) / n, "fraction",
               {.count = predictions.size()});
  }
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER, Stage("lowbit.reference-judge", LB_JUDGE)
                                   .version("1")
                                   .summary("The first error of solutions in equations, by rules; in doubt it says so.")
                                   .input("predictions", "predictions/1", "the solutions, in any response format")
                                   .input("task", "task/1", "the problems with reference steps and answers")
                                   .output("verdicts", "verdicts/1", "one verdict an item, judge `reference`")
                                   .run<judge_all>())
