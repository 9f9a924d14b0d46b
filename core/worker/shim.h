// The process between host and job: it outlives the host, holds the attempt's lock, and leaves a record however
// the job ends. One thread, no database, no plugin code of its own.
#pragma once

#include "exec/attempt_files.h"

namespace lowbit::worker {

/// Takes the attempt's lock, forks the job, waits, writes exit.json. `listener`: an inherited, listening Unix socket
/// (-1: none); a connected peer may write 'c' to cancel the job and sees end-of-file when the shim is gone.
/// A lock that is held, or an exit.json that is there already, means the attempt is not ours to run: nothing happens.
/// Cancel and timeout send SIGTERM to the job's process group and SIGKILL ten seconds later.
int run_shim(const exec::AttemptPaths& attempt, int listener);

}  // namespace lowbit::worker
