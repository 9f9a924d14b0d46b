// One way to print a plan, for `lowbit plan` and `lowbit run -n`.
#pragma once

#include "graph/expanded_graph.h"
#include "graph/plan.h"

namespace lowbit::cli {

void print_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan, bool json);

}  // namespace lowbit::cli
