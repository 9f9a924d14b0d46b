// `lowbit worker --fork-server`: forks shims, which find the program started and, where one is named, a library loaded.
// The library's stages never run here: every job is still a fresh process.
#pragma once

#include <filesystem>

namespace lowbit::worker {

/// Takes requests (exec/local/fork_request.h) from the socket `requests` until its other end closes. A library that
/// cannot be loaded is left to each job, and so is one that starts threads, after which a fork is not safe: the program
/// then starts again without it. Empty: none. Returns the exit status.
int run_fork_server(const std::filesystem::path& library, int requests);

}  // namespace lowbit::worker
