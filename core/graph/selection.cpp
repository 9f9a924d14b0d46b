#include "graph/selection.h"

#include <algorithm>

namespace lowbit::graph {
namespace {

/// Producers that the plan does not reuse.
std::set<VariantIndex> pending_producers(const ExpandedGraph& graph, const Plan& plan, VariantIndex index) {
  std::set<VariantIndex> pending;
  for (const BoundInput& input : graph.variants[index].inputs) {
    for (const Member& member : input.members) {
      const auto* produced = std::get_if<Produced>(&member.source);
      if (produced != nullptr && may_run(plan.variants[produced->producer].decision)) {
        pending.insert(produced->producer);
      }
    }
  }
  return pending;
}

}  // namespace

std::set<VariantIndex> with_dependants(const ExpandedGraph& graph, const Plan& plan,
                                       const std::set<VariantIndex>& chosen) {
  std::set<VariantIndex> selected;
  for (const VariantIndex index : chosen) {
    if (may_run(plan.variants[index].decision)) selected.insert(index);
  }
  for (VariantIndex i = graph.variants.size(); i-- > 0;) {  // consumers stand behind their producers
    if (selected.contains(i)) selected.merge(pending_producers(graph, plan, i));
  }
  for (VariantIndex i = 0; i < graph.variants.size(); ++i) {
    if (selected.contains(i) || !may_run(plan.variants[i].decision)) continue;
    const std::set<VariantIndex> pending = pending_producers(graph, plan, i);
    if (!pending.empty() && std::includes(selected.begin(), selected.end(), pending.begin(), pending.end())) {
      selected.insert(i);
    }
  }
  return selected;
}

}  // namespace lowbit::graph
