#include "results_file.h"

#include <algorithm>
#include <lowbit/sdk.hpp>
#include <utility>

#include "python_json.h"

namespace lowbit::lm_eval {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

const std::string kPrefix = "results_";
constexpr std::size_t kNamesListed = 12;
constexpr int kGroupsInGroups = 8;

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& why,
                         const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = what, .where = where, .why = why, .fix = fix});
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesListed); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kNamesListed) text += " and " + std::to_string(names.size() - kNamesListed) + " more";
  return text.empty() ? "none" : text;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_results_file(const fs::path& file) {
  return file.filename().string().starts_with(kPrefix) && file.extension() == ".json";
}

/// The results file in or below a directory.
fs::path found_in(const fs::path& directory, const std::string& time) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || !is_results_file(entry.path())) continue;
    if (time.empty() || entry.path().filename() == kPrefix + time + ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.size() == 1) return files.front();
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const fs::path& file : files) names.push_back(file.lexically_relative(directory).generic_string());
  if (files.empty()) {
    refuse(time.empty() ? "there is no results file" : "there is no results file of this time", directory.string(),
           "no file in or below it is named " + kPrefix + (time.empty() ? "TIME" : time) + ".json",
           "bind what lm_eval wrote to its --output_path");
  }
  refuse("there are several results files", directory.string(), "they are " + listed(names),
         "set `time` to what stands between `results_` and `.json`, or bind the directory of one model");
}

/// Keys of `results` that are not numbers measured.
bool is_description(const std::string& key) {
  return key == "alias" || key == "name" || key == "sample_len" || key == "sample_count" || key == " ";
}

struct Key {
  std::string metric, filter;
};
/// "acc_stderr,none" apart; without a comma, as before version 0.4, there is no filter.
Key key_of(const std::string& key) {
  const std::size_t comma = key.find(',');
  if (comma == std::string::npos) return {.metric = key, .filter = "none"};
  return {.metric = key.substr(0, comma), .filter = key.substr(comma + 1)};
}

const std::string kStdErr = "_stderr";

bool is_std_err(const std::string& metric) { return metric.ends_with(kStdErr); }

}  // namespace

const Json& member(const Json& json, const std::string& key) {
  static const Json nothing;
  if (!json.is_object()) return nothing;
  const auto found = json.find(key);
  return found == json.end() ? nothing : *found;
}

ResultsFile::ResultsFile(fs::path file, Json json) : file_(std::move(file)), json_(std::move(json)) {
  if (member(json_, "results").is_object()) return;
  refuse("this is not a results file of lm-evaluation-harness", file_.string(), "it has no object `results`",
         "bind what lm_eval wrote to its --output_path");
}

ResultsFile ResultsFile::open(const fs::path& path, const std::string& time) {
  const fs::path file = fs::is_directory(path) ? found_in(path, time) : path;
  return {file, read_python_json(file)};
}

std::vector<std::string> ResultsFile::tasks() const {
  std::vector<std::string> names;
  for (const auto& [name, numbers] : json_.at("results").items()) names.push_back(name);
  return names;
}

std::string ResultsFile::time() const {
  const std::string stem = file_.stem().string();
  return stem.starts_with(kPrefix) ? stem.substr(kPrefix.size()) : stem;
}

std::vector<Measured> ResultsFile::numbers(const std::vector<std::string>& tasks,
                                           const std::vector<std::string>& metrics) const {
  const std::vector<std::string> known = this->tasks();
  for (const std::string& task : tasks) {
    if (contains(known, task)) continue;
    refuse("there is no task `" + task + "`", file_.string(), "its tasks and groups are " + listed(known),
           "take one of them in `tasks`");
  }
  std::vector<Measured> all;
  for (const std::string& task : known) {
    if (!tasks.empty() && !contains(tasks, task)) continue;
    const auto of_task = numbers_of(task, metrics);
    all.insert(all.end(), of_task.begin(), of_task.end());
  }
  if (all.empty()) {
    refuse(
        "there is no number to take", file_.string(), "its tasks and groups are " + listed(known),
        metrics.empty() ? "evaluate again: this file has no measured value" : "name other `metrics`, as in the file");
  }
  return all;
}

std::vector<Measured> ResultsFile::numbers_of(const std::string& task, const std::vector<std::string>& metrics) const {
  const Json& of_task = json_.at("results").at(task);
  if (!of_task.is_object()) {
    refuse("the numbers of " + task + " cannot be read", file_.string() + ", results." + task,
           "it is " + std::string(of_task.type_name()) + " instead of an object",
           "bind what lm_eval wrote to its --output_path");
  }
  std::vector<Measured> numbers;
  for (const auto& [key, value] : of_task.items()) {
    const auto [metric, filter] = key_of(key);
    if (is_description(key) || is_std_err(metric)) continue;
    if (!metrics.empty() && !contains(metrics, metric)) continue;
    if (value.is_string()) continue;  // a text beside the numbers
    if (!value.is_number()) {
      refuse("`" + key + "` of " + task + " is not a number", file_.string() + ", results." + task,
             value.is_null() ? "it is null or NaN" : "it is " + std::string(value.type_name()),
             "evaluate it again, or name the `metrics` (or the `tasks`) to take without it");
    }
    const std::string suffix = key.find(',') == std::string::npos ? "" : "," + filter;
    std::string std_err_key = metric;
    std_err_key.append(kStdErr).append(suffix);
    const Json& std_err = member(of_task, std_err_key);
    const Json& better = member(member(member(json_, "higher_is_better"), task), metric);
    numbers.push_back({.task = task,
                       .metric = metric,
                       .filter = filter,
                       .value = value.get<double>(),
                       .std_error = std_err.is_number() ? std::optional(std_err.get<double>()) : std::nullopt,
                       .count = count_of(task, key, kGroupsInGroups),
                       .higher_is_better = better.is_boolean() ? std::optional(better.get<bool>()) : std::nullopt});
  }
  return numbers;
}

std::uint64_t ResultsFile::count_of(const std::string& task, const std::string& key, int depth) const {
  const Json& of_task = json_.at("results").at(task);
  if (const Json& count = member(member(of_task, "sample_count"), key); count.is_number_unsigned()) return count;
  if (const auto n = n_samples(task)) return *n;
  std::uint64_t sum = 0;
  const Json& members = member(member(json_, "group_subtasks"), task);
  if (!members.is_array() || depth == 0) return 0;
  for (const Json& name : members) {
    if (name.is_string() && json_.at("results").contains(name)) sum += count_of(name, key, depth - 1);
  }
  return sum;
}

std::optional<std::uint64_t> ResultsFile::n_samples(const std::string& task) const {
  const Json& effective = member(member(member(json_, "n-samples"), task), "effective");
  return effective.is_number_unsigned() ? std::optional(effective.get<std::uint64_t>()) : std::nullopt;
}

const Json& ResultsFile::config_of(const std::string& task) const { return member(member(json_, "configs"), task); }

fs::path ResultsFile::samples_of(const std::string& task) const {
  return file_.parent_path() / ("samples_" + task + "_" + time() + ".jsonl");
}

std::string ResultsFile::task_named(const std::string& name) const {
  std::vector<std::string> with_samples;
  for (const std::string& task : tasks()) {
    if (fs::exists(samples_of(task))) with_samples.push_back(task);
  }
  if (contains(with_samples, name)) return name;
  if (with_samples.empty()) {
    refuse("there are no samples", file_.string(), "there is no samples_TASK_" + time() + ".jsonl beside it",
           "run lm_eval with --log_samples and bind its output directory; lowbit.lm-eval-results needs no samples");
  }
  if (name.empty() && with_samples.size() == 1) return with_samples.front();
  refuse(name.empty() ? "there are samples of several tasks" : "there are no samples of task `" + name + "`",
         file_.string(), "there are samples of " + listed(with_samples), "set `task` to one of them");
}

}  // namespace lowbit::lm_eval
