#include "worker/fork_server.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "env/process.h"
#include "exec/local/fork_request.h"
#include "plugin/library.h"
#include "worker/shim.h"

namespace lowbit::worker {
namespace {

/// In place, for who looks at a process from outside (env::kill_session) sees the memory that it was started with.
void set_attempt(const std::string& nonce) {
  char* const value = std::getenv("LOWBIT_ATTEMPT");
  if (value != nullptr && std::strlen(value) == nonce.size()) {
    std::copy(nonce.begin(), nonce.end(), value);
  } else {
    ::setenv("LOWBIT_ATTEMPT", nonce.c_str(), 1);
  }
}

void open_as(int number, const std::filesystem::path& file) {
  const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (opened < 0) return;
  ::dup2(opened, number);
  ::close(opened);
}

[[noreturn]] void become_shim(const exec::ForkRequest& request, int requests) {
  ::setsid();
  ::close(requests);
  set_attempt(request.nonce);
  open_as(STDOUT_FILENO, request.attempt.standard_output());
  open_as(STDERR_FILENO, request.attempt.standard_error());
  const int status = run_shim(request.attempt, request.listener);
  std::fflush(nullptr);
  ::_exit(status);
}

/// The host watches locks, not processes; what has ended is let go, and its processor time counted here.
void reap() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

std::size_t threads_of_this_process() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

}  // namespace

int run_fork_server(const std::filesystem::path& library, int requests) {
  if (!library.empty()) {
    // What is wrong with it, each job says for itself.
    [[maybe_unused]] const bool loaded = plugin::load_plugin(library).ok();
    if (threads_of_this_process() > 1) {
      const std::string descriptor = std::to_string(requests);
      ::execl("/proc/self/exe", "lowbit", "worker", "--fork-server", descriptor.c_str(), nullptr);
      return 1;
    }
  }
  ::fcntl(requests, F_SETFD, FD_CLOEXEC);
  static_cast<void>(env::boot_id());  // every shim writes it down, and none has to read it
  while (const auto request = exec::receive_fork_request(requests)) {
    if (::fork() == 0) become_shim(*request, requests);
    ::close(request->listener);
    reap();
  }
  reap();
  return 0;
}

}  // namespace lowbit::worker
