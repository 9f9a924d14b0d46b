#include "worker/fork_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "exec/attempt_files.h"
#include "plugin/library.h"
#include "worker/shim.h"

namespace lowbit::worker {
namespace {

struct Request {
  std::string nonce;
  exec::AttemptPaths attempt;
  int listener;
};

/// Empty when the host is gone.
std::optional<Request> receive(int socket) {
  std::array<char, 8192> text{};
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = 0;
  do n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (n <= 0 || header == nullptr) return std::nullopt;
  const std::string words(text.data(), static_cast<std::size_t>(n));
  const std::size_t end = words.find('\n');
  if (end == std::string::npos) return std::nullopt;
  Request request{.nonce = words.substr(0, end), .attempt = {words.substr(end + 1)}, .listener = -1};
  std::memcpy(&request.listener, CMSG_DATA(header), sizeof request.listener);
  return request;
}

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

[[noreturn]] void become_shim(const Request& request, int requests) {
  ::setsid();
  ::close(requests);
  ::signal(SIGCHLD, SIG_DFL);
  set_attempt(request.nonce);
  open_as(STDOUT_FILENO, request.attempt.standard_output());
  open_as(STDERR_FILENO, request.attempt.standard_error());
  const int status = run_shim(request.attempt, request.listener);
  std::fflush(nullptr);
  ::_exit(status);
}

std::size_t threads_of_this_process() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

}  // namespace

int run_fork_server(const std::filesystem::path& library, int requests) {
  ::signal(SIGCHLD, SIG_IGN);  // shims are waited for by nobody: the host watches their locks
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
  while (const auto request = receive(requests)) {
    if (::fork() == 0) become_shim(*request, requests);
    ::close(request->listener);
  }
  return 0;
}

}  // namespace lowbit::worker
