// What `lowbit run` and `lowbit retry` do once they know what is to run.
#pragma once

#include "base/result.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "exec/run.h"

namespace lowbit::cli {

/// Takes the project (--wait), runs, and tells a person about it (--json, --plain). Returns the exit status.
[[nodiscard]] Result<int> run_to_end(const Experiment& experiment, const exec::RunRequest& request,
                                     const CommandOptions& options);

}  // namespace lowbit::cli
