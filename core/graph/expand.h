// The Semantics paragraph of docs/experiment-file.md as a function.
//
// A variant is a stage at a surviving point of the matrix, projected on the axes that matter to it:
//   axes(stage, point) = axes in its live templates: `use`, sources, parameters, external paths
//                      + axes of the producers of its ungathered inputs, less the pinned ones
//                      + axes of the producers of its gathered inputs, less `over` and the pinned ones
//                      + seed, when its plugin is seeded
// Points that agree on these axes are one variant; a gathered input of it has the members of all of them.
#pragma once

#include "base/result.h"
#include "domain/experiment_spec.h"
#include "domain/stage_description.h"
#include "graph/expanded_graph.h"

namespace lowbit::graph {

/// Binds `spec` to plugins and expands its matrix. Pure. All problems are returned at once (LB2xxx binding,
/// LB3xxx graph). REQUIRES: `spec` has the form that spec/experiment_reader.h
/// gives it: templates, `over`, `at` and `exclude` name axes and axis values.
[[nodiscard]] Result<ExpandedGraph> expand(const ExperimentSpec& spec, const StageCatalog& catalog,
                                           MissingPlugin missing = MissingPlugin::refused);

}  // namespace lowbit::graph
