#include "graph/plan_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace lowbit::graph {
namespace {

// Longer labels push their own reason to the right instead of everyone's.
constexpr std::size_t kMaxLabelWidth = 60;

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

/// Labels of the gates that have not been judged yet and that a variant waits for, each once.
std::vector<std::string> open_gates(const ExpandedGraph& graph, const Plan& plan, const PlannedVariant& planned) {
  std::vector<std::string> labels;
  if (!may_run(planned.decision)) return labels;
  for (const BoundInput& input : graph.variants[planned.variant].inputs) {
    for (const Member& member : input.members) {
      const auto* produced = std::get_if<Produced>(&member.source);
      if (produced == nullptr) continue;
      for (const VariantIndex keeper : produced->keepers) {
        std::string label = graph.variants[keeper].label();
        if (!may_run(plan.variants[keeper].decision)) continue;
        if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(std::move(label));
      }
    }
  }
  return labels;
}

std::string after_gates(const std::vector<std::string>& labels) {
  if (labels.empty()) return {};
  return "; after the gate of " + labels.front() +
         (labels.size() == 1 ? "" : " and " + std::to_string(labels.size() - 1) + " more");
}

}  // namespace

std::string plan_text(const ExpandedGraph& graph, const Plan& plan, const PlanTextOptions& options) {
  std::size_t width = 0;
  for (const Variant& variant : graph.variants) width = std::max(width, width_of(printable(variant.label())));
  width = std::min(width, kMaxLabelWidth);

  std::string out;
  for (const PlannedVariant& planned : plan.variants) {
    const std::string held =
        planned.decision == Decision::reuse && !planned.gate.empty() ? "; held back: " + planned.gate : "";
    out += padded(std::string(name_of(planned.decision)), 7) +
           padded(printable(graph.variants[planned.variant].label()), width) + "  " +
           printable(planned.reason.text + held + after_gates(open_gates(graph, plan, planned))) + "\n";
    if (!options.details || planned.reason.details.size() < 2) continue;
    for (const std::string& detail : planned.reason.details) out += "         " + printable(detail) + "\n";
  }
  out += std::to_string(plan.variants.size()) + (plan.variants.size() == 1 ? " variant: " : " variants: ") +
         std::to_string(plan.count(Decision::reuse)) + " reuse, " + std::to_string(plan.count(Decision::run)) +
         " run, " + std::to_string(plan.count(Decision::maybe)) + " maybe" +
         (plan.count(Decision::gated) == 0 ? "" : ", " + std::to_string(plan.count(Decision::gated)) + " gated") + "\n";
  for (const std::string& note : graph.notes) out += "note: " + printable(note) + "\n";
  for (const std::string& notice : plan.notices) out += "notice: " + printable(notice) + "\n";
  return out;
}

Json plan_json(const ExpandedGraph& graph, const Plan& plan) {
  Json variants = Json::array();
  for (const PlannedVariant& planned : plan.variants) {
    const Variant& variant = graph.variants[planned.variant];
    variants.push_back(
        {{"stage", variant.stage},
         {"coordinates", variant.coordinates.to_json()},
         {"label", variant.label()},
         {"plugin", variant.plugin->id},
         {"decision", name_of(planned.decision)},
         {"reason",
          {{"kind", name_of(planned.reason.kind)}, {"text", planned.reason.text}, {"details", planned.reason.details}}},
         {"provenance_key", planned.provenance.digest.hex()},
         {"content_key", planned.content ? Json(planned.content->digest.hex()) : Json()},
         {"gate", planned.gate.empty() ? Json() : Json(planned.gate)},
         {"after_gates", open_gates(graph, plan, planned)}});
  }
  return {{"experiment", graph.experiment},
          {"variants", std::move(variants)},
          {"counts",
           {{"reuse", plan.count(Decision::reuse)},
            {"run", plan.count(Decision::run)},
            {"maybe", plan.count(Decision::maybe)},
            {"gated", plan.count(Decision::gated)}}},
          {"notes", graph.notes},
          {"notices", plan.notices}};
}

}  // namespace lowbit::graph
