// Parts of a plan.
#pragma once

#include <set>

#include "graph/expanded_graph.h"
#include "graph/plan.h"

namespace lowbit::graph {

/// Of what the plan does not reuse: `chosen`, everything those need, and everything that then lacks nothing else.
/// Each member's producers are reused or members themselves.
[[nodiscard]] std::set<VariantIndex> with_dependants(const ExpandedGraph& graph, const Plan& plan,
                                                     const std::set<VariantIndex>& chosen);

}  // namespace lowbit::graph
