// What `lowbit export` reads of the database for the formats of results.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/exported_study.h"
#include "exec/project.h"

namespace lowbit::cli {

/// `source`: an experiment's name, its file, or the directory that its `experiment.yaml` lies in. `only`: labels or
/// stages, * for any text; empty: all. LB7067, LB7020 where it was never run, LB7060 where a pattern fits nothing.
[[nodiscard]] Result<ExportedStudy> load_exported_study(const exec::ProjectPaths& project, const std::string& source,
                                                        const std::vector<std::string>& only);

}  // namespace lowbit::cli
