// `matrix`: axes, `zip`, `union`, `defaults`, `include` and `exclude`, as grids over one list of axes.
#pragma once

#include "domain/experiment_spec.h"
#include "spec/form.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// Fills in the axes, grids, exclusions and inclusions of `spec`, and the axes of `axes`, which is not `complete` when
/// some of them could not be read.
void read_matrix(const Node& node, ExperimentSpec& spec, KnownAxes& axes, Form& form);

}  // namespace lowbit::spec
