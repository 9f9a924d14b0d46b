#include "graph/selection.h"

#include <algorithm>

namespace lowbit::graph {
namespace {

/// Producers, and whose gates hold them, that the plan does not reuse.
std::set<VariantIndex> pending_producers(const ExpandedGraph& graph, const Plan& plan, VariantIndex index) {
  std::set<VariantIndex> pending;
  for_each_awaited(graph.variants[index], [&](VariantIndex awaited) {
    if (may_run(plan.variants[awaited].decision)) pending.insert(awaited);
  });
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
