#include "unit/graph/graph_text.h"

namespace lowbit::test {
namespace {

std::string source_text(const graph::ExpandedGraph& graph, const graph::Member& member) {
  if (const auto* external = std::get_if<graph::External>(&member.source)) {
    return "inputs." + external->name + " " + external->path + " (" + external->type + ")";
  }
  const auto& produced = std::get<graph::Produced>(member.source);
  std::string text = graph.variants.at(produced.producer).label() + "." + produced.port;
  for (const graph::VariantIndex keeper : produced.keepers) {
    text += " after the gate of " + graph.variants.at(keeper).label();
  }
  return text;
}

void append_input(std::string& out, const graph::ExpandedGraph& graph, const graph::BoundInput& input) {
  out.append("  ").append(input.port).append(" <- ");
  if (!input.gathered) {
    out.append(source_text(graph, input.members.at(0))).append("\n");
    return;
  }
  out += "each";
  if (input.min_members) out.append(", at least ").append(std::to_string(*input.min_members));
  out += "\n";
  for (const graph::Member& member : input.members) {
    out.append("    ").append(member.at.text()).append(": ").append(source_text(graph, member)).append("\n");
  }
}

}  // namespace

std::string graph_text(const graph::ExpandedGraph& graph) {
  std::string out;
  for (const graph::Variant& variant : graph.variants) {
    out += variant.label() + " = " + variant.plugin->id;
    if (!variant.params.empty()) out += " " + canonical(variant.params);
    if (variant.seed) out += " seed " + std::to_string(*variant.seed);
    out += "\n";
    for (const graph::BoundInput& input : variant.inputs) append_input(out, graph, input);
  }
  for (const std::string& note : graph.notes) out += "note: " + note + "\n";
  return out;
}

}  // namespace lowbit::test
