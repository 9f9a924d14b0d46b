// The process between host and one job: it outlives the host, holds the attempt's lock, and leaves a record however
// the job ends. What it does is Watch, for one job.
#pragma once

#include "exec/attempt_files.h"
#include "exec/local/fork_request.h"

namespace lowbit::worker {

/// Takes the attempt's lock, forks the job, waits, writes exit.json. `listener`: an inherited, listening Unix socket
/// (-1: none); a connected peer may write 'c' to cancel the job and sees end-of-file when the shim is gone.
/// Returns the exit status of the process.
int run_shim(const exec::AttemptPaths& attempt, int listener);
/// The same for who knows already what attempt.json says.
int run_shim(exec::ForkRequest request);

}  // namespace lowbit::worker
