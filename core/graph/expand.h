// The Semantics paragraph of docs/experiment-file.md as a function.
#pragma once

#include "base/result.h"
#include "domain/experiment_spec.h"
#include "domain/stage_description.h"
#include "graph/expanded_graph.h"

namespace lowbit::graph {

/// Binds `spec` to plugins and expands its matrix. Pure. All problems are returned at once (LB2xxx binding,
/// LB3xxx graph).
[[nodiscard]] Result<ExpandedGraph> expand(const ExperimentSpec& spec, const StageCatalog& catalog);

}  // namespace lowbit::graph
