#include "worker/shim.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "env/fault.h"
#include "env/file_lock.h"
#include "env/files.h"
#include "env/process.h"
#include "exec/resource_pool.h"
#include "worker/job.h"

namespace lowbit::worker {
namespace {

using Clock = std::chrono::steady_clock;
using exec::AttemptPaths;
using exec::ExitKind;
using exec::ExitRecord;

constexpr std::chrono::seconds kGrace{10};
constexpr std::chrono::milliseconds kMemoryLook{500};
constexpr int kNotOurs = 4;  ///< another process runs or ran this attempt
constexpr int kBroken = 3;   ///< the machine: no permission, full disk

int broken(const Diagnostics& problems) {
  std::fputs(render(problems).c_str(), stderr);
  return kBroken;
}

/// Waits for one child and for people who want it to stop.
class Watch {
 public:
  /// `memory_bytes`: what all processes of the job may hold together; 0: not limited.
  Watch(pid_t job, int listener, int signals, std::chrono::milliseconds timeout, std::uint64_t memory_bytes)
      : job_(job), listener_(listener), signals_(signals), memory_bytes_(memory_bytes), started_(Clock::now()) {
    if (timeout.count() > 0) timeout_at_ = started_ + timeout;
    if (memory_bytes_ > 0) memory_at_ = started_ + kMemoryLook;
  }

  /// Whether someone is connected who sees this process end.
  [[nodiscard]] bool host_is_there() {
    hear_all(0);
    hear_all(0);  // one who connected and is gone is heard the second time
    return !peers_.empty();
  }

  ExitRecord wait() {
    for (;;) {
      if (const auto record = reaped()) return *record;
      const auto now = Clock::now();
      if (timeout_at_ && now >= *timeout_at_) {
        timeout_at_.reset();
        timed_out_ = true;
        stop();
      }
      if (memory_at_ && now >= *memory_at_) look_at_memory();
      if (kill_at_ && now >= *kill_at_) {
        kill_at_.reset();
        ::kill(-job_, SIGKILL);
      }
      hear_all(milliseconds_to_next());
    }
  }

 private:
  std::optional<ExitRecord> reaped() {
    int status = 0;
    rusage usage{};
    pid_t pid = 0;
    do pid = ::wait4(-1, &status, WNOHANG, &usage);
    while (pid > 0 && pid != job_);  // others are orphans of the job
    if (pid != job_) return std::nullopt;
    ExitRecord record;
    record.kind = WIFSIGNALED(status) ? ExitKind::signalled : ExitKind::exited;
    record.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    record.timed_out = timed_out_;
    record.cancelled = cancelled_;
    record.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    if (WIFSIGNALED(status)) record.over_lease_bytes = over_lease_bytes_;  // else it was quicker, and ended well or not
    record.lease_bytes = memory_bytes_;
    record.peak_memory_bytes = std::max(static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U, over_lease_bytes_);
    return record;
  }

  /// Ends a job that holds more than its lease, at once: what it would still allocate is what others have. The quick
  /// figure can be too high, the exact one costs a job with large memory some milliseconds: it is asked for only then.
  void look_at_memory() {
    memory_at_ = Clock::now() + kMemoryLook;
    const std::vector<std::int64_t> processes = env::descendants();
    std::uint64_t held = 0;
    for (const bool quick : {true, false}) {
      held = 0;
      for (const std::int64_t pid : processes) held += env::held_memory(pid, quick);
      if (held <= memory_bytes_) return;
    }
    over_lease_bytes_ = held;
    memory_at_.reset();
    for (const std::int64_t pid : processes) ::kill(static_cast<pid_t>(pid), SIGKILL);
  }

  void stop() {
    ::kill(-job_, SIGTERM);
    if (!kill_at_) kill_at_ = Clock::now() + kGrace;
  }

  void cancel() {
    if (!cancelled_) stop();
    cancelled_ = true;
  }

  void hear_all(int milliseconds) {
    std::vector<pollfd> waiting{{signals_, POLLIN, 0}};
    if (listener_ >= 0) waiting.push_back({listener_, POLLIN, 0});
    const std::size_t first_peer = waiting.size();
    for (const int peer : peers_) waiting.push_back({peer, POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), milliseconds) <= 0) return;

    if ((waiting[0].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) cancel();
      }
    }
    for (std::size_t i = waiting.size(); i-- > first_peer;) {
      if (waiting[i].revents != 0) hear(i - first_peer);
    }
    if (listener_ >= 0 && (waiting[1].revents & POLLIN) != 0) {
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (peer >= 0) peers_.push_back(peer);
    }
  }

  void hear(std::size_t index) {
    std::array<char, 64> buffer{};
    const ssize_t n = ::read(peers_[index], buffer.data(), buffer.size());
    if (n > 0) {
      if (std::find(buffer.begin(), buffer.begin() + n, 'c') != buffer.begin() + n) cancel();
      return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    ::close(peers_[index]);
    peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  [[nodiscard]] int milliseconds_to_next() const {
    std::optional<Clock::time_point> next = timeout_at_;
    if (kill_at_ && (!next || *kill_at_ < *next)) next = kill_at_;
    if (memory_at_ && (!next || *memory_at_ < *next)) next = memory_at_;
    if (!next) return -1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, 3'600'000));
  }

  pid_t job_;
  int listener_;
  int signals_;
  std::uint64_t memory_bytes_;
  Clock::time_point started_;
  std::optional<Clock::time_point> memory_at_;
  std::uint64_t over_lease_bytes_ = 0;
  std::optional<Clock::time_point> timeout_at_;
  std::optional<Clock::time_point> kill_at_;
  std::vector<int> peers_;
  bool timed_out_ = false;
  bool cancelled_ = false;
};

/// Ends whatever the job started and left behind, also in groups and sessions of its own: orphans are children of this
/// process then, and so are theirs once they are gone.
void end_descendants() {
  constexpr auto kMost = std::chrono::seconds(5);  // one that the kernel does not let go must not keep the attempt
  const auto until = Clock::now() + kMost;
  while (Clock::now() < until) {
    for (const std::int64_t pid : env::descendants()) ::kill(static_cast<pid_t>(pid), SIGKILL);
    const pid_t ended = ::waitpid(-1, nullptr, WNOHANG);
    if (ended < 0) return;
    if (ended == 0) ::usleep(2000);
  }
}

}  // namespace

int run_shim(const AttemptPaths& attempt, int listener) {
  env::set_fault_role(env::ProcessRole::shim);
  auto lock = env::FileLock::try_take(attempt.lock());
  if (!lock.ok()) return broken(lock.error());
  if (!lock->has_value() || env::exists(attempt.exit())) return kNotOurs;

  // Blocked before the fork: a SIGTERM or a job that ends at once is not missed.
  sigset_t mask;
  sigset_t before;
  sigemptyset(&mask);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&mask, signal);
  ::sigprocmask(SIG_BLOCK, &mask, &before);
  const int signals = ::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);

  const auto text = env::read_file(attempt.request());
  if (!text.ok()) return broken(text.error());
  const auto request = exec::job_request(Json::parse(*text, nullptr, false));
  if (!request.ok()) return broken(request.error());
  const env::ProcessIdentity self = env::own_identity();
  if (const auto r = env::replace_file(attempt.shim(), canonical(to_json(self))); !r.ok()) {
    return broken(r.error());
  }

  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t shim = ::getpid();
  const pid_t job = ::fork();
  if (job < 0) return broken({env::file_error("forking a job for", attempt.directory, errno)});
  if (job == 0) {
    ::setpgid(0, 0);
    // The job dies with its shim; a host that finds the shim dead ends the rest of the session.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != shim) ::_exit(kBroken);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (listener >= 0) ::close(listener);
    ::close(signals);
    env::set_fault_role(env::ProcessRole::job);
    const int status = run_job(*request, attempt);
    std::fflush(nullptr);
    ::_exit(status);  // no static destructors: a loaded library is never unloaded
  }
  ::setpgid(job, job);

  const std::uint64_t memory_bytes =
      request->lease.is_object() ? exec::grant_of(request->lease).memory_bytes : std::uint64_t{0};
  Watch watch(job, listener, signals, request->timeout, memory_bytes);
  ExitRecord record = watch.wait();
  ::kill(-job, SIGKILL);
  end_descendants();
  // A host that is there makes all of it durable when it publishes; otherwise that may be after the next boot.
  const bool durably = !watch.host_is_there() && env::sync_tree(attempt.directory).ok();
  if (!durably) record.unsynced_boot = self.boot_id;
  const std::string text_of_end = canonical(to_json(record));
  const auto written =
      durably ? env::write_file_durably(attempt.exit(), text_of_end) : env::replace_file(attempt.exit(), text_of_end);
  if (!request->socket.empty()) ::unlink(request->socket.c_str());
  return written.ok() ? 0 : broken(written.error());
}

}  // namespace lowbit::worker
