// One way to print a plan, for `lowbit plan` and `lowbit run -n`.
#pragma once

#include "exec/project.h"
#include "graph/expanded_graph.h"
#include "graph/plan.h"

namespace lowbit::cli {

/// With what it will take, as far as `project` has seen the like; cpus: 0 for all processors.
void print_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan, const exec::ProjectPaths& project,
                unsigned cpus, bool json);

}  // namespace lowbit::cli
