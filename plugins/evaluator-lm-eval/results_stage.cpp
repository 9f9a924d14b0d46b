// lowbit.lm-eval-results: the numbers of a results file as metrics, and what is known about how they came to be.
#include <cmath>
#include <limits>
#include <set>

#include "lm/json_file.h"
#include "metric_names.h"
#include "results_file.h"
#include "stages.h"

namespace lowbit::lm_eval {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const ResultsFile& results, const Measured& number, const std::string& what,
                         const std::string& why, const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = what,
                                  .where = results.file().string() + ", results." + number.task + "." + number.metric +
                                           "," + number.filter,
                                  .why = why,
                                  .fix = fix});
}

void check(const ResultsFile& results, const Measured& number, const MetricName& name) {
  if (name.higher_is_better && number.higher_is_better && *name.higher_is_better != *number.higher_is_better) {
    const auto direction = [](bool higher) { return std::string(higher ? "higher" : "lower") + " is better"; };
    refuse(results, number, "`" + number.metric + "` means something else here",
           "by this file " + direction(*number.higher_is_better) + ", by schemas/metrics.yaml " +
               direction(*name.higher_is_better),
           "name the `metrics` to take without it");
  }
  if (name.unit == "fraction" && (number.value < 0 || number.value > 1)) {
    refuse(results, number, "`" + number.metric + "` is not a fraction here",
           "it is " + Json(number.value).dump() + ", and lowbit keeps fractions, 0 to 1",
           "name the `metrics` to take without it");
  }
}

/// What stands in the file under `key`, null where it does not; the names of the latter go to `unknown`.
Json known(const Json& json, const std::string& key, Json& unknown) {
  const Json& value = member(json, key);
  if (value.is_null()) unknown.push_back(key);
  return value;
}

Json facts_of(const ResultsFile& results, const std::set<std::string>& tasks) {
  const Json& json = results.json();
  Json unknown = Json::array();
  Json facts = Json::object();
  for (const std::string key : {"lm_eval_version", "transformers_version", "git_hash", "date", "model_source",
                                "model_name", "system_instruction", "chat_template_sha", "fewshot_as_multiturn"}) {
    facts[key] = known(json, key, unknown);
  }
  facts["config"] = known(json, "config", unknown);
  Json by_task = Json::object();
  const std::vector<std::pair<std::string, std::string>> of_task{{"version", "versions"},
                                                                 {"n_shot", "n-shot"},
                                                                 {"task_hash", "task_hashes"},
                                                                 {"n_samples", "n-samples"},
                                                                 {"higher_is_better", "higher_is_better"}};
  for (const auto& [ours, theirs] : of_task) (void)known(json, theirs, unknown);
  for (const std::string& task : tasks) {
    for (const auto& [ours, theirs] : of_task) by_task[task][ours] = member(member(json, theirs), task);
    const Json& config = results.config_of(task);
    by_task[task]["output_type"] = member(config, "output_type");
    by_task[task]["generation_kwargs"] = member(config, "generation_kwargs");
    by_task[task]["members"] = member(member(json, "group_subtasks"), task);
  }
  facts["tasks"] = std::move(by_task);
  facts["unknown"] = std::move(unknown);
  return facts;
}

}  // namespace

void take_results(const Job& job, const ResultsParams& params) {
  const ResultsFile results = ResultsFile::open(job.input("results").path, params.time);
  std::set<std::string> tasks;
  std::set<std::string> names;
  std::string unknown;
  for (const Measured& number : results.numbers(params.tasks, params.metrics)) {
    const MetricName name = metric_name(number.task, number.metric, number.filter);
    check(results, number, name);
    if (!names.insert(name.name).second) {
      refuse(results, number, "two numbers have the same name", "`" + name.name + "` is taken",
             "name one of the two `tasks`, and take the other in a stage of its own");
    }
    if (!name.higher_is_better) unknown += (unknown.empty() ? "" : ", ") + name.name;
    job.metric(
        name.name, number.value, name.unit,
        {.count = number.count, .std_error = number.std_error.value_or(std::numeric_limits<double>::quiet_NaN())});
    tasks.insert(number.task);
  }
  if (!unknown.empty()) job.warn("not known to lowbit, never compared by direction: " + unknown);
  lm::write_json_file(job.output("facts") / "facts.json", facts_of(results, tasks));
}

}  // namespace lowbit::lm_eval
