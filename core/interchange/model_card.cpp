#include "interchange/model_card.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "interchange/file_names.h"

namespace lowbit::interchange {
namespace {

/// Double-quoted scalars of YAML are JSON's.
std::string yaml_text(const std::string& text) { return canonical(Json(text)); }

std::string yaml_number(double value) { return std::isfinite(value) ? Json(value).dump() : "null"; }

/// "0.0110": four significant digits.
std::string brief_number(double value) {
  std::string text(32, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.4g", value)));
  return text;
}

HubDataset dataset_of(const EvaluatedTask& task, const HubDatasets& datasets) {
  const auto found = datasets.find(task.name);
  return found != datasets.end() ? found->second : HubDataset{.id = task.name, .task_id = "default"};
}

/// "accuracy", and of "perplexity/word@2048" "perplexity": as the Hub calls metrics.
std::string hub_metric(const TaskMetric& metric) { return metric.name.substr(0, metric.name.find('/')); }

const TaskMetric& headline_of(const EvaluatedTask& task) {
  for (const std::string_view first :
       {"accuracy", "exact_match", "acc_norm", "pass@1", "perplexity/word", "perplexity/byte", "perplexity/token"}) {
    const auto found = std::find_if(task.metrics.begin(), task.metrics.end(), [&](const TaskMetric& metric) {
      return metric.name == first || metric.name.starts_with(std::string(first) + "@");
    });
    if (found != task.metrics.end()) return *found;
  }
  return task.metrics.front();
}

std::string precision_text(const MetricRow& row) {
  std::string text;
  if (row.std_error) text += ", standard error " + brief_number(*row.std_error);
  if (row.count > 0) text += ", n = " + std::to_string(row.count);
  return text;
}

std::string task_type(const EvaluatedTask& task) {
  return member(*task.description, "kind") == "choose" ? "multiple-choice" : "text-generation";
}

const Json& params_of(const ExportedVariant& variant) { return member(variant.recipe.record, "params"); }

constexpr std::array<const char*, 3> kFirstParams{"num_bits", "group_size", "symmetric"};

/// "lowbit.gptq 4, num_bits 3, group_size 64, symmetric false"
std::string quantizer_text(const ExportedVariant& quantizer) {
  std::string text = plugin_text(quantizer.recipe.record);
  for (const char* name : kFirstParams) {
    const Json& value = member(params_of(quantizer), name);
    if (!value.is_null()) text += ", " + std::string(name) + " " + canonical(value);
  }
  return text;
}

/// "actorder none, dampening_frac 0.01": the other parameters.
std::string further_params_text(const ExportedVariant& quantizer) {
  std::string text;
  for (const auto& [name, value] : params_of(quantizer).items()) {
    if (std::find(kFirstParams.begin(), kFirstParams.end(), name) != kFirstParams.end()) continue;
    text += (text.empty() ? "" : ", ") + name + " " + (value.is_string() ? value.get<std::string>() : canonical(value));
  }
  return text;
}

/// What the quantizer's second moments or windows come from; empty: it read none.
std::string calibration_text(const ExportedStudy& study, const ExportedVariant& quantizer) {
  std::string text;
  for (const RecipeInput& input : quantizer.recipe.inputs) {
    if (input.type != "token-batches/1" && input.type != "hessians/1") continue;
    constexpr std::size_t kBrief = 12;
    text += (text.empty() ? "" : "; ") + input.type + " " + input.digest.substr(0, kBrief);
    if (!input.maker) continue;
    const ExportedVariant& maker = study.variants[*input.maker];
    text += " of " + maker.variant.label + " (" + plugin_text(maker.recipe.record) + ")";
  }
  return text;
}

std::string stored_bits_text(const ExportedVariant& quantizer) {
  if (!quantizer.result) return {};
  for (const MetricRow& metric : quantizer.result->facts.metrics) {
    if (metric.name == "weights/bits_per_weight")
      return ", " + brief_number(metric.value) + " bits per weight as stored";
  }
  return {};
}

std::string facts_text(const ExportedStudy& study, const CardModel& card) {
  const Lineage lineage = lineage_of(study, *card.evaluations.front());
  std::string text;
  for (const std::size_t i : lineage.makers) {
    const ExportedVariant& maker = study.variants[i];
    if (maker.recipe.kind != "quantizer") continue;
    const std::string calibration = calibration_text(study, maker);
    text += "- Quantization: " + quantizer_text(maker) + stored_bits_text(maker) + "\n";
    if (const std::string further = further_params_text(maker); !further.empty()) {
      text += "- Its other parameters: " + further + "\n";
    }
    text += "- Calibration: " + (calibration.empty() ? "none" : calibration) + "\n";
  }
  if (text.empty()) text = "- Quantization: none\n";
  std::string made;
  for (const std::size_t i : lineage.makers) {
    const ExportedVariant& maker = study.variants[i];
    made += (made.empty() ? "" : " ← ") + maker.variant.label + " (" + plugin_text(maker.recipe.record) + ")";
  }
  if (!made.empty()) text += "- Made by: " + made + "\n";
  if (!lineage.base.empty()) text += "- Base model: " + lineage.base + ", SHA-256 " + lineage.base_digest + "\n";
  return text;
}

std::string results_table(const ExportedStudy& study, const CardModel& card) {
  std::string text =
      "| task | metric | value | standard error | n | shots | measured by |\n| --- | --- | --- | --- | --- | --- | --- "
      "|\n";
  for (const Evaluation* evaluation : card.evaluations) {
    for (const EvaluatedTask& task : evaluation->tasks) {
      for (const TaskMetric& metric : task.metrics) {
        text += "| " + task.name + " | " + metric.name + " (" + metric.row->unit + ") | " +
                (std::isfinite(metric.row->value) ? brief_number(metric.row->value) : "not a number") + " | " +
                (metric.row->std_error ? brief_number(*metric.row->std_error) : "") + " | " +
                (metric.row->count > 0 ? std::to_string(metric.row->count) : "") + " | " +
                (task.num_fewshot ? std::to_string(*task.num_fewshot) : "") + " | " +
                plugin_text(study.variants[evaluation->variant].recipe.record) + " |\n";
      }
    }
  }
  return text;
}

std::string model_index(const CardModel& card, const HubDatasets& datasets) {
  std::string text = "model-index:\n- name: " + yaml_text(card.model->name) + "\n  results:\n";
  for (const Evaluation* evaluation : card.evaluations) {
    for (const EvaluatedTask& task : evaluation->tasks) {
      text += "  - task:\n      type: " + yaml_text(task_type(task)) + "\n      name: " + yaml_text(task.name) +
              "\n    dataset:\n      type: " + yaml_text(dataset_of(task, datasets).id) +
              "\n      name: " + yaml_text(task.name) + "\n    metrics:\n";
      for (const TaskMetric& metric : task.metrics) {
        text +=
            "    - type: " + yaml_text(hub_metric(metric)) + "\n      value: " + yaml_number(metric.row->value) +
            "\n      name: " + yaml_text(metric.name + " (" + metric.row->unit + ")" + precision_text(*metric.row)) +
            "\n";
      }
    }
  }
  return text;
}

}  // namespace

std::vector<CardModel> models_of(const std::vector<Evaluation>& evaluations) {
  std::vector<CardModel> cards;
  for (const Evaluation& evaluation : evaluations) {
    if (evaluation.model.digest.empty()) continue;
    auto card = std::find_if(cards.begin(), cards.end(),
                             [&](const CardModel& known) { return known.model->digest == evaluation.model.digest; });
    if (card == cards.end()) card = cards.insert(cards.end(), {.model = &evaluation.model, .evaluations = {}});
    card->evaluations.push_back(&evaluation);
  }
  return cards;
}

std::string eval_results_yaml(const ExportedStudy& study, const CardModel& card, const HubDatasets& datasets) {
  const Lineage lineage = lineage_of(study, *card.evaluations.front());
  std::string quantized;
  for (const std::size_t i : lineage.makers) {
    if (study.variants[i].recipe.kind == "quantizer") quantized += "; " + quantizer_text(study.variants[i]);
  }
  std::string text;
  for (const Evaluation* evaluation : card.evaluations) {
    const ExportedVariant& variant = study.variants[evaluation->variant];
    for (const EvaluatedTask& task : evaluation->tasks) {
      if (task.metrics.empty()) continue;
      const HubDataset dataset = dataset_of(task, datasets);
      const TaskMetric& metric = headline_of(task);
      text += "- dataset:\n    id: " + yaml_text(dataset.id) + "\n    task_id: " + yaml_text(dataset.task_id) +
              "\n  value: " + yaml_number(metric.row->value) +
              "\n  date: " + yaml_text(variant.result->execution.ended_at) + "\n  notes: " +
              yaml_text(metric.name + " (" + metric.row->unit + ")" + precision_text(*metric.row) + "; " +
                        plugin_text(variant.recipe.record) + quantized) +
              "\n";
    }
  }
  return text.empty() ? "[]\n" : text;
}

CardBlocks card_blocks(const ExportedStudy& study, const CardModel& card, const HubDatasets& datasets) {
  return {.metadata = model_index(card, datasets),
          .results = "## Evaluation\n\n" + results_table(study, card) + "\n" + facts_text(study, card) +
                     "- Measured by lowbit in the experiment " + study.experiment + "\n"};
}

std::vector<ExportFile> card_files(const ExportedStudy& study, const CardModel& card, const HubDatasets& datasets) {
  const std::string directory = sanitized_model_name(card.model->name) + "/";
  return {{directory + "eval_results.yaml", eval_results_yaml(study, card, datasets)},
          {directory + "README.md", whole_card(card_blocks(study, card, datasets))}};
}

}  // namespace lowbit::interchange
