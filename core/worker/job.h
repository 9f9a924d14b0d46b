// One stage in one process: load the plugin, hand it the host table, report to the journal.
#pragma once

#include <string>

#include "exec/attempt_files.h"

namespace lowbit::worker {

/// Exit statuses of a job process beside those of plugin_abi.h.
inline constexpr int kJobCannotLoad = 100;    ///< the plugin or the stage could not be loaded; a fail record says why
inline constexpr int kJobCannotReport = 101;  ///< the journal could not be written

/// This forked process works for one attempt from now on: its environment says so, and what it prints goes to its logs.
void enter_attempt(const exec::AttemptPaths& attempt, const std::string& nonce);

/// This process itself works for none: nobody who ends the processes of one means it.
void leave_attempt();

/// run_job() with the request that lies in the attempt.
int run_attempt(const exec::AttemptPaths& attempt);

/// Runs the request's stage. SIGTERM asks the stage to stop. Returns the process's exit status.
int run_job(const exec::JobRequest& request, const exec::AttemptPaths& attempt);

}  // namespace lowbit::worker
