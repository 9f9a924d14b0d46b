// What an experiment should know of people's decisions before it runs.
#pragma once

#include "cli/session.h"

namespace lowbit::cli {

/// Says on stderr when the project's review ledger holds decisions that a snapshot which the experiment reads lacks.
void note_newer_decisions(const Experiment& experiment, const exec::ProjectPaths& project);

}  // namespace lowbit::cli
