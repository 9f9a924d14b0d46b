#include "interchange/lm_eval.h"

#include <algorithm>
#include <cmath>

#include "interchange/file_names.h"
#include "interchange/json_text.h"
#include "interchange/utc_time.h"

namespace lowbit::interchange {
namespace {

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

std::string stem(const ExportedStudy& study, const Evaluation& evaluation, std::size_t number) {
  const ExecutionFacts& execution = study.variants[evaluation.variant].result->execution;
  return file_time(execution.ended_at) + (number == 0 ? "" : "-" + std::to_string(number + 1));
}

std::string text_of_field(const Json& fields, const char* name) {
  const Json& value = member(fields, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// As the harness hashes a document: the JSON text that its Python writes with an indent of two.
std::string document_hash(const Json& document) { return sha256(indented_json(document)).hex(); }

Json metrics_of(const EvaluatedTask& task) {
  Json metrics{{"name", task.name}, {"alias", task.name}, {"sample_len", task.n_effective}};
  for (const TaskMetric& metric : task.metrics) {
    metrics[metric.lm_eval + ",none"] = finite_or_null(metric.row->value);
    metrics[metric.lm_eval + "_stderr,none"] =
        metric.row->std_error ? finite_or_null(*metric.row->std_error) : Json("N/A");
  }
  return metrics;
}

Json directions_of(const EvaluatedTask& task) {
  Json directions = Json::object();
  for (const TaskMetric& metric : task.metrics) {
    directions[metric.lm_eval] = metric.better == Better::none ? Json() : Json(metric.better == Better::up);
  }
  return directions;
}

const char* output_type_of(const EvaluatedTask& task) {
  const Json& kind = member(*task.description, "kind");
  if (kind == "choose") return "multiple_choice";
  if (kind == "likelihood") return "loglikelihood";
  return kind == "generate" ? "generate_until" : "loglikelihood_rolling";
}

Json config_of(const EvaluatedTask& task, const StudyRecipe& recipe) {
  const Json& prompt = member(*task.description, "prompt");
  const Json& version = member(member(recipe.record, "plugin"), "version");
  Json config{{"task", task.name},
              {"output_type", output_type_of(task)},
              {"doc_to_text", member(prompt, "template")},
              {"num_fewshot", value_or_null(task.num_fewshot)},
              {"metadata", {{"version", version}}}};
  if (const Json& stop = member(*task.description, "stop"); stop.is_array()) {
    config["generation_kwargs"] = {{"until", stop}};
  }
  return config;
}

/// What lowbit knows of these numbers and the harness has no key for.
Json own_facts(const ExportedStudy& study, const Evaluation& evaluation) {
  const ExportedVariant& variant = study.variants[evaluation.variant];
  Json metrics = Json::object();
  for (const EvaluatedTask& task : evaluation.tasks) {
    for (const TaskMetric& metric : task.metrics) {
      metrics[task.name][metric.lm_eval] = {
          {"name", metric.row->name}, {"unit", metric.row->unit}, {"count", metric.row->count}};
    }
  }
  Json inputs = Json::array();
  for (const RecipeInput& input : variant.recipe.inputs) {
    inputs.push_back({{"port", input.port}, {"type", input.type}, {"digest", input.digest}});
  }
  const ExecutionFacts& execution = variant.result->execution;
  return {{"experiment", study.experiment},
          {"label", variant.variant.label},
          {"axes", variant.variant.axes},
          {"seed", value_or_null(variant.variant.seed)},
          {"content_key", variant.variant.content_key},
          {"plugin", plugin_text(variant.recipe.record)},
          {"plugin_digest", execution.plugin_digest},
          {"params", member(variant.recipe.record, "params")},
          {"inputs", inputs},
          {"model_digest", evaluation.model.digest},
          {"metrics", metrics},
          {"environment", execution.environment}};
}

Json run_config(const ExportedVariant& variant, const Evaluation& evaluation) {
  const Json& params = member(variant.recipe.record, "params");
  return {{"model", "lowbit"},
          {"model_args", {{"pretrained", evaluation.model.name}}},
          {"batch_size", member(params, "batch_size")},
          {"device", member(variant.result->execution.environment, "device")},
          {"limit", member(params, "limit")},
          {"random_seed", value_or_null(variant.variant.seed)},
          {"gen_kwargs", nullptr}};
}

}  // namespace

std::string file_time(std::string rfc3339_utc) {
  std::replace(rfc3339_utc.begin(), rfc3339_utc.end(), ':', '-');
  return rfc3339_utc;
}

std::string samples_path(const ExportedStudy& study, const Evaluation& evaluation, const EvaluatedTask& task,
                         std::size_t number) {
  return sanitized_model_name(evaluation.model.name) + "/samples_" + path_part(task.name) + "_" +
         stem(study, evaluation, number) + ".jsonl";
}

LmEvalSamples::LmEvalSamples(const EvaluatedTask& task)
    : has_accuracy_(std::any_of(task.metrics.begin(), task.metrics.end(),
                                [](const TaskMetric& metric) { return metric.name == "accuracy"; })) {}

std::string LmEvalSamples::line(const ItemLine& item, const std::optional<Question>& question) {
  Json document{{"item_id", item.item_id}, {"problem_id", member(item.fields, "problem_id")}};
  if (question) document["problem"] = question->problem;
  const std::string target = question && question->reference ? *question->reference : std::string();
  if (question) document["answer"] = value_or_null(question->reference);
  const std::string text = text_of_field(item.fields, "text");
  const Json& extracted = member(item.fields, "extracted");
  Json line{{"doc_id", next_doc_++},
            {"doc", document},
            {"target", target},
            {"arguments", Json::object()},
            {"resps", Json::array({Json::array({text})})},
            {"filtered_resps", Json::array({extracted.is_string() ? extracted : Json(text)})},
            {"filter", "none"},
            {"metrics", Json::array()},
            {"doc_hash", document_hash(document)},
            {"prompt_hash", text_of_field(item.fields, "prompt_sha")},
            {"target_hash", sha256(target).hex()}};
  if (const Json& correct = member(item.fields, "correct"); correct.is_boolean() || has_accuracy_) {
    line["acc"] = correct == true ? 1.0 : 0.0;
    line["metrics"].push_back("acc");
  }
  Json own = item.fields;
  for (const char* elsewhere : {"text", "extracted", "prompt_sha", "problem_id"}) own.erase(elsewhere);
  line["lowbit"] = std::move(own);
  hashes_.update(line["doc_hash"].get<std::string>() + line["prompt_hash"].get<std::string>() +
                 line["target_hash"].get<std::string>());
  return canonical(line) + "\n";
}

ExportFile lm_eval_results(const ExportedStudy& study, const Evaluation& evaluation,
                           const std::map<std::string, std::string>& task_hashes, std::size_t number) {
  const ExportedVariant& variant = study.variants[evaluation.variant];
  const ExecutionFacts& execution = variant.result->execution;
  Json document{{"config", run_config(variant, evaluation)},
                {"git_hash", nullptr},
                {"date", value_or_null(epoch_seconds(execution.started_at))},
                {"task_hashes", task_hashes},
                {"model_source", "lowbit"},
                {"model_name", evaluation.model.name},
                {"model_name_sanitized", sanitized_model_name(evaluation.model.name)},
                {"total_evaluation_time_seconds", Json(execution.seconds).dump()},
                {"lowbit", own_facts(study, evaluation)}};
  for (const EvaluatedTask& task : evaluation.tasks) {
    document["results"][task.name] = metrics_of(task);
    document["group_subtasks"][task.name] = Json::array();
    document["configs"][task.name] = config_of(task, variant.recipe);
    document["versions"][task.name] = member(member(variant.recipe.record, "plugin"), "version");
    document["n-shot"][task.name] = value_or_null(task.num_fewshot);
    document["higher_is_better"][task.name] = directions_of(task);
    document["n-samples"][task.name] = {{"original", task.n_original}, {"effective", task.n_effective}};
  }
  return {.path = sanitized_model_name(evaluation.model.name) + "/results_" + stem(study, evaluation, number) + ".json",
          .bytes = indented_json(document) + "\n"};
}

}  // namespace lowbit::interchange
