// lowbit.lm-eval-predictions: the answers of one task, item by item, as predictions.
#include <algorithm>
#include <cmath>
#include <optional>

#include "choices.h"
#include "items_by_doc.h"
#include "lm/digest.h"
#include "metric_names.h"
#include "results_file.h"
#include "samples_file.h"
#include "stages.h"
#include "tasks/predictions.h"

namespace lowbit::lm_eval {
namespace {

using Json = nlohmann::json;

/// lm_eval's word for an answer that a pattern did not find.
constexpr std::string_view kNotFound = "[invalid]";
/// Means of 0 and 1 that were summed in another order agree at least so far.
constexpr double kSameMean = 1e-9;

/// The metric that grades; nothing where the task has none.
std::optional<std::string> grading_metric(const Sample& sample, const std::string& wanted) {
  const auto has = [&](const std::string& metric) {
    return std::find(sample.metrics.begin(), sample.metrics.end(), metric) != sample.metrics.end();
  };
  if (wanted.empty()) {
    for (const std::string metric : {"acc", "exact_match", "acc_norm"}) {
      if (has(metric)) return metric;
    }
    return std::nullopt;
  }
  if (has(wanted)) return wanted;
  std::string names;
  for (const std::string& name : sample.metrics) names += (names.empty() ? "" : ", ") + name;
  refuse_sample(sample, "the samples have no metric `" + wanted + "`", "their metrics are " + names,
                "set `metric` to one of them that is 1 for a right answer and 0 for a wrong one");
}

bool is_right(const Sample& sample, const std::string& metric) {
  const Json& value = member(sample.row, metric);
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) {
    const auto grade = value.get<double>();
    if (grade == 0 || grade == 1) return grade == 1;
  }
  refuse_sample(sample, "an answer is neither right nor wrong",
                "its " + metric + " is " + (value.is_null() ? "missing or NaN" : value.dump().substr(0, 80)),
                "set `metric` to one that is 1 for a right answer and 0 for a wrong one");
}

/// The first text in a list of lists of texts.
std::optional<std::string> first_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_array() && !value.empty() ? first_text(value[0]) : std::nullopt;
}

std::optional<std::vector<double>> choice_logprobs(const Sample& sample) {
  std::vector<double> all;
  for (std::size_t i = 0; i < n_choices(sample) && i < sample.responses.size(); ++i) {
    const auto one = log_probability(sample.responses[i]);
    if (!one) return std::nullopt;
    all.push_back(*one);
  }
  return all.size() == n_choices(sample) ? std::optional(all) : std::nullopt;
}

Json prediction_of(const Sample& sample, const tasks::Task& task, const tasks::Item& item,
                   const std::optional<std::string>& metric) {
  Json row{{"item_id", item.item_id},
           {"problem_id", item.problem_id},
           {"prompt_sha", lm::sha256_of_text(sample.requests.front().prompt)},
           {"text", ""},
           {"steps", Json::array()},
           {"extracted", nullptr},
           {"correct", metric ? Json(is_right(sample, *metric)) : Json()},
           {"n_tokens", 0},
           {"truncated", false}};
  if (task.kind == "generate") {
    row["text"] = first_text(sample.responses).value_or("");
    if (const auto answer = first_text(sample.filtered); answer && *answer != kNotFound) row["extracted"] = *answer;
  }
  if (task.kind == "choose") {
    if (const auto logprobs = choice_logprobs(sample)) row["choice_logprobs"] = *logprobs;
  }
  return row;
}

/// What the results file says about the same answers.
const Measured* summary_of(const std::vector<Measured>& numbers, const std::string& metric, const Sample& sample) {
  const std::string filter = sample.row.value("filter", std::string("none"));
  const auto found = std::find_if(numbers.begin(), numbers.end(), [&](const Measured& number) {
    return number.metric == metric && number.filter == filter;
  });
  return found == numbers.end() ? nullptr : &*found;
}

[[noreturn]] void disagree(const std::filesystem::path& samples, const std::string& what, const std::string& why) {
  throw StageError(LB_BAD_INPUT, {.what = what,
                                  .where = samples.string(),
                                  .why = why,
                                  .fix = "copy both files again from where lm_eval wrote them, or evaluate again"});
}

void check_count(const ResultsFile& results, const std::string& task, std::size_t n) {
  const auto expected = results.n_samples(task);
  if (!expected || *expected == n) return;
  disagree(results.samples_of(task), "the samples are not all of the task's",
           "there are " + std::to_string(n) + ", by n-samples of " + results.file().filename().string() + " " +
               std::to_string(*expected));
}

/// Grades whose mean is the task's value, unless the task aggregates them in a way of its own.
void check_mean(const ResultsFile& results, const std::string& task, const std::string& metric,
                const std::vector<Sample>& samples, std::size_t n_correct) {
  const Json& list = member(results.config_of(task), "metric_list");
  for (const Json& one : list.is_array() ? list : Json::array()) {
    const Json& aggregation = member(one, "aggregation");
    if (member(one, "metric") == metric && !aggregation.is_null() && aggregation != "mean") return;
  }
  const auto numbers = results.numbers({task}, {metric});
  const Measured* const summary = is_grade(metric) ? summary_of(numbers, metric, samples.front()) : nullptr;
  const double mean = static_cast<double>(n_correct) / static_cast<double>(samples.size());
  if (summary == nullptr || std::abs(summary->value - mean) < kSameMean) return;
  disagree(results.samples_of(task), "the samples do not give the task's value",
           "their mean " + metric + " is " + Json(mean).dump() + ", by " + results.file().filename().string() + " " +
               Json(summary->value).dump());
}

void report(const Job& job, const tasks::Task& task, const std::vector<Json>& rows, bool is_graded) {
  const auto count = [&](const auto& holds) {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), holds));
  };
  if (is_graded) {
    const std::size_t n_correct = count([](const Json& row) { return row["correct"] == true; });
    tasks::report_share(job, task.name + "/accuracy", n_correct, rows.size());
    job.metric(task.name + "/n_correct", static_cast<double>(n_correct), "items");
  }
  job.metric(task.name + "/n_total", static_cast<double>(rows.size()), "items");
  if (task.kind == "generate") {
    tasks::report_share(job, task.name + "/extracted",
                        count([](const Json& row) { return !row["extracted"].is_null(); }), rows.size());
  }
}

}  // namespace

void take_predictions(const Job& job, const PredictionsParams& params) {
  const tasks::Task task = tasks::read_task(job.input("task").path);
  const ResultsFile results = ResultsFile::open(job.input("results").path, params.time);
  const std::string name = results.task_named(params.task);
  const auto samples = read_samples(results.samples_of(name), params.filter);
  const auto metric = grading_metric(samples.front(), params.metric);
  check_count(results, name, samples.size());
  ItemsByDoc items(task, params.problem_field);
  std::vector<Json> rows;
  for (const Sample& sample : samples) {
    job.tick(rows.size(), samples.size(), "items");
    rows.push_back(prediction_of(sample, task, items.take(sample), metric));
  }
  if (metric) {
    const auto is_correct = [](const Json& row) { return row["correct"] == true; };
    check_mean(results, name, *metric, samples,
               static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), is_correct)));
  } else {
    job.warn("no metric of this task says which answers are right: the predictions are not graded");
  }
  if (rows.size() < task.items.size()) {
    job.warn(std::to_string(task.items.size() - rows.size()) + " of the task's " + std::to_string(task.items.size()) +
             " items were not asked");
  }
  JsonLinesWriter out(job.output("predictions") / "predictions.jsonl");
  for (const Json& row : rows) out.write(row);
  out.close();
  report(job, task, rows, metric.has_value());
}

}  // namespace lowbit::lm_eval
