// The parts of `lowbit doctor` that read every result: --verify and --rebuild.
#pragma once

#include "base/result.h"
#include "exec/project.h"

namespace lowbit::cli {

/// LB6014 when a result is damaged and stays so.
[[nodiscard]] Result<int> verify_results(const exec::ProjectPaths& project, bool repair, bool as_json);
[[nodiscard]] Result<int> rebuild_results(const exec::ProjectPaths& project, bool as_json);

}  // namespace lowbit::cli
