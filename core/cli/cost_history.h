// What earlier results of a project took, for estimates.
#pragma once

#include "exec/project.h"
#include "graph/cost.h"

namespace lowbit::cli {

/// Empty where nothing was ever run; a database that cannot be read is another command's problem to tell.
[[nodiscard]] graph::CostHistory cost_history(const exec::ProjectPaths& project);

}  // namespace lowbit::cli
