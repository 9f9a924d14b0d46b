#include "worker/fork_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include "env/fault.h"
#include "env/posix/descriptor.h"
#include "exec/journal.h"
#include "exec/local/fork_request.h"
#include "plugin/library.h"
#include "worker/job.h"
#include "worker/shim.h"
#include "worker/watch.h"

namespace lowbit::worker {
namespace {

std::size_t threads_of_this_process() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

class ForkServer {
 public:
  explicit ForkServer(int host)
      : host_(host), watch_(Watch::Jobs::several, [this](const std::string& nonce) { tell_end(nonce); }) {}

  int run() {
    while (host_ || !watch_.idle()) {
      if (watch_.wait(host_.get())) hear_host();
      // Whoever asks it to end gets no further jobs in.
      if (watch_.asked_to_end()) lose_host();
    }
    return 0;
  }

 private:
  void hear_host() {
    auto message = exec::receive_request(host_.get());
    if (!message) return lose_host();
    if (auto* request = std::get_if<exec::ForkRequest>(&*message)) return begin(std::move(*request));
    watch_.cancel(std::get<exec::CancelRequest>(*message).nonce);
  }

  void begin(exec::ForkRequest request) {
    if (request.listener >= 0) return fork_shim(std::move(request));
    const exec::AttemptPaths attempt = request.attempt;
    const std::string nonce = request.nonce;
    const auto started = watch_.start(std::move(request), host_.get());
    if (started.ok() && *started) return;
    if (!started.ok()) write_problem(attempt, started.error());
    tell_end(nonce);
  }

  void fork_shim(exec::ForkRequest request) {
    const pid_t shim = ::fork();
    if (shim == 0) {
      ::setsid();
      watch_.leave();
      host_ = env::Descriptor();
      enter_attempt(request.attempt, request.nonce);
      const int status = run_shim(std::move(request));
      std::fflush(nullptr);
      ::_exit(status);
    }
    ::close(request.listener);
    watch_.leave_alone(shim);
  }

  static void write_problem(const exec::AttemptPaths& attempt, const Diagnostics& problems) {
    if (std::FILE* const log = std::fopen(attempt.standard_error().c_str(), "ae")) {
      std::fputs(render(problems).c_str(), log);
      std::fclose(log);
    }
  }

  void tell_end(const std::string& nonce) {
    if (host_) static_cast<void>(exec::send_nonce(host_.get(), nonce));
  }

  void lose_host() {
    if (!host_) return;
    host_ = env::Descriptor();
    watch_.listen();
  }

  env::Descriptor host_;
  Watch watch_;
};

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
  env::set_fault_role(env::ProcessRole::shim);
  leave_attempt();
  ::unsetenv("LD_BIND_NOW");
  static_cast<void>(exec::journal_record(Json::object()));  // tables that every job needs are made once
  return ForkServer(requests).run();
}

}  // namespace lowbit::worker
