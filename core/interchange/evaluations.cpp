#include "interchange/evaluations.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace lowbit::interchange {
namespace {

const Json kNull;
const std::vector<std::string> kModelTypes{"model/1", "quantized-model/1", "adapter/1"};

/// "perplexity/word@2048" is word_perplexity, whatever the context: that stands with the metric's own name.
std::string lm_eval_name(const std::string& name) {
  constexpr std::string_view kPerplexity = "perplexity/";
  if (name == "accuracy") return "acc";
  if (!name.starts_with(kPerplexity)) return name;
  const std::string unit = name.substr(kPerplexity.size(), name.find('@') - kPerplexity.size());
  return unit + "_perplexity";
}

const RecipeInput* find_input(const StudyRecipe& recipe, const std::vector<std::string>& types) {
  const auto found = std::find_if(recipe.inputs.begin(), recipe.inputs.end(), [&](const RecipeInput& input) {
    return input.port != "reference" && std::find(types.begin(), types.end(), input.type) != types.end();
  });
  return found == recipe.inputs.end() ? nullptr : &*found;
}

/// Of a model from outside: the name of its directory.
std::string outside_name(const ExportedVariant& reader, const RecipeInput& input) {
  if (reader.result) {
    for (const InputFacts& fact : reader.result->facts.inputs) {
      if (fact.digest != input.digest || !fact.path) continue;
      const std::string path = fact.path->substr(0, fact.path->find_last_not_of('/') + 1);
      return path.substr(path.rfind('/') + 1);
    }
  }
  constexpr std::size_t kBrief = 8;
  return "model-" + input.digest.substr(0, kBrief);
}

EvaluatedModel model_of(const ExportedStudy& study, const ExportedVariant& variant) {
  const RecipeInput* input = find_input(variant.recipe, kModelTypes);
  if (input == nullptr) return {.name = variant.variant.label, .digest = {}, .maker = {}};
  return {.name = input->maker ? study.variants[*input->maker].variant.label : outside_name(variant, *input),
          .digest = input->digest,
          .maker = input->maker};
}

/// Of the stages that the task comes from, the nearest that gave it examples.
std::optional<std::int64_t> fewshot_of(const ExportedStudy& study, const RecipeInput* task) {
  std::set<std::size_t> seen;
  while (task != nullptr) {
    if (!task->maker || !seen.insert(*task->maker).second) return std::nullopt;
    const StudyRecipe& maker = study.variants[*task->maker].recipe;
    const Json& written = member(member(maker.record, "params"), "num_fewshot");
    if (written.is_number_integer()) return written.get<std::int64_t>();
    task = find_input(maker, {"task/1"});
  }
  return 0;
}

std::uint64_t n_items_of(const ExportedStudy& study, const RecipeInput* data, const Json& description) {
  if (const Json& n = member(description, "n_items"); n.is_number_integer()) return n.get<std::uint64_t>();
  if (data == nullptr || !data->maker || !study.variants[*data->maker].result) return 0;
  for (const OutputFacts& output : study.variants[*data->maker].result->facts.outputs) {
    if (output.port != data->maker_port || !output.summary.is_object()) continue;
    for (const char* count : {"items", "windows"}) {
      if (const Json& n = member(output.summary, count); n.is_number_integer()) return n.get<std::uint64_t>();
    }
  }
  return 0;
}

std::uint64_t n_answered(const ExportedResult& result) {
  for (const OutputFacts& output : result.facts.outputs) {
    if (output.type != "predictions/1" || !output.summary.is_object()) continue;
    if (const Json& n = member(output.summary, "items"); n.is_number_integer()) return n.get<std::uint64_t>();
  }
  return 0;
}

EvaluatedTask& task_named(std::vector<EvaluatedTask>& tasks, const std::string& name) {
  const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const EvaluatedTask& t) { return t.name == name; });
  if (found != tasks.end()) return *found;
  tasks.push_back({.name = name, .digest = {}, .description = &kNull, .metrics = {}, .num_fewshot = {}});
  return tasks.back();
}

void add_metric(EvaluatedTask& task, const MetricRow& row, const MetricDefinition& definition) {
  TaskMetric metric{
      .name = row.name.substr(task.name.size() + 1), .lm_eval = {}, .better = definition.better, .row = &row};
  if (metric.name == "n_total") task.n_effective = static_cast<std::uint64_t>(row.value);
  if (row.unit == "items") return;
  metric.lm_eval = lm_eval_name(metric.name);
  const bool taken = std::any_of(task.metrics.begin(), task.metrics.end(),
                                 [&](const TaskMetric& other) { return other.lm_eval == metric.lm_eval; });
  if (taken) metric.lm_eval = metric.name;  // two contexts of one perplexity
  task.metrics.push_back(std::move(metric));
}

std::vector<EvaluatedTask> tasks_of(const ExportedStudy& study, const ExportedVariant& variant) {
  std::vector<EvaluatedTask> tasks;
  for (const MetricRow& row : variant.result->facts.metrics) {
    const MetricDefinition* definition = find_metric(row.name);
    if (definition == nullptr || !definition->name.starts_with("<task>/")) continue;
    add_metric(task_named(tasks, row.name.substr(0, row.name.find('/'))), row, *definition);
  }
  const RecipeInput* data = find_input(variant.recipe, {"task/1", "token-batches/1"});
  for (EvaluatedTask& task : tasks) {
    if (data != nullptr) {
      task.digest = data->digest;
      if (const auto found = study.tasks.find(data->digest); found != study.tasks.end()) {
        task.description = &found->second;
      }
    }
    task.num_fewshot = fewshot_of(study, data);
    task.n_original = n_items_of(study, data, *task.description);
    if (task.n_effective == 0) task.n_effective = n_answered(*variant.result);
    if (task.n_effective == 0) task.n_effective = task.n_original;
    if (task.n_original == 0) task.n_original = task.n_effective;
  }
  return tasks;
}

}  // namespace

std::vector<Evaluation> evaluations(const ExportedStudy& study) {
  std::vector<Evaluation> all;
  for (const std::size_t i : study.chosen) {
    const ExportedVariant& variant = study.variants[i];
    if (!variant.result || variant.recipe.kind != "evaluator") continue;
    Evaluation evaluation{.variant = i, .model = model_of(study, variant), .tasks = tasks_of(study, variant)};
    if (!evaluation.tasks.empty()) all.push_back(std::move(evaluation));
  }
  return all;
}

Lineage lineage_of(const ExportedStudy& study, const Evaluation& evaluation) {
  Lineage lineage;
  std::set<std::size_t> seen;
  std::optional<std::size_t> at = evaluation.variant;
  while (at && seen.insert(*at).second) {
    const ExportedVariant& variant = study.variants[*at];
    const RecipeInput* input = find_input(variant.recipe, kModelTypes);
    at = input == nullptr ? std::nullopt : input->maker;
    if (at) lineage.makers.push_back(*at);
    if (input == nullptr || at) continue;
    lineage.base = outside_name(variant, *input);
    lineage.base_digest = input->digest;
  }
  return lineage;
}

}  // namespace lowbit::interchange
