#include "worker/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "env/fault.h"
#include "env/files.h"
#include "exec/local/job_socket.h"
#include "worker/job.h"

namespace lowbit::worker {
namespace {

using exec::ExitKind;
using exec::ExitRecord;

constexpr std::chrono::seconds kGrace{10};
constexpr std::chrono::milliseconds kMemoryLook{500};
constexpr std::chrono::seconds kLetGo{5};  ///< a process that the kernel does not let go must not keep the attempt

bool is_readable(int descriptor) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

Watch::Watch(Jobs jobs, Told told)
    : several_(jobs == Jobs::several),
      told_(std::move(told)),
      self_(env::own_identity()),
      mask_before_(),
      has_host_(several_) {
  // Blocked before the first fork: a SIGTERM or a job that ends at once is not missed.
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&mask, signal);
  ::sigprocmask(SIG_BLOCK, &mask, &mask_before_);
  signals_ = env::Descriptor(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Result<bool> Watch::start(exec::ForkRequest request, int not_for_job) {
  env::Descriptor listener(request.listener);
  LB_TRY_ASSIGN(std::optional<env::FileLock> lock, env::FileLock::try_take(request.attempt.lock()));
  if (!lock || env::exists(request.attempt.exit())) return false;
  // In place: without the whole of it no job of this attempt has been forked.
  LB_TRY(env::write_file(request.attempt.shim(), canonical(to_json(self_))));
  const pid_t job = ::fork();
  if (job < 0) return env::file_error("forking a job for", request.attempt.directory, errno);
  if (job == 0) {
    listener = env::Descriptor();
    if (not_for_job >= 0) ::close(not_for_job);
    become_job(request);  // which holds the lock as well
  }
  ::setpgid(job, job);
  jobs_.push_back({.request = std::move(request),
                   .listener = std::move(listener),
                   .peers = {},
                   .lock = *std::move(lock),
                   .pid = job,
                   .started = Clock::now(),
                   .timeout_at = {},
                   .kill_at = {},
                   .memory_at = {},
                   .let_go_at = {},
                   .ended = {}});
  Job& started = jobs_.back();
  if (started.request.timeout.count() > 0) started.timeout_at = started.started + started.request.timeout;
  if (started.request.memory_bytes > 0) started.memory_at = started.started + kMemoryLook;
  return true;
}

void Watch::become_job(const exec::ForkRequest& request) {
  ::setpgid(0, 0);
  // The job dies with its shim; a host that finds the shim dead ends the rest of the session.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != self_.pid) ::_exit(kJobCannotReport);
  leave();
  if (several_) {
    // What its processes leave behind comes to it, and to its parent when it has ended: never among other jobs'.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    enter_attempt(request.attempt, request.nonce);
  }
  env::set_fault_role(env::ProcessRole::job);
  const int status = run_attempt(request.attempt);
  std::fflush(nullptr);
  ::_exit(status);  // no static destructors: a loaded library is never unloaded
}

void Watch::leave() {
  jobs_.clear();
  signals_ = env::Descriptor();
  ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Watch::listen() {
  has_host_ = false;
  for (Job& job : jobs_) {
    auto listener = exec::listen_at(job.request.socket);
    if (listener.ok()) job.listener = *std::move(listener);  // else: who adopts it watches its lock
  }
}

bool Watch::wait(int other) {
  for (Job& job : jobs_) keep_time(job);
  std::vector<pollfd> waiting{{signals_.get(), POLLIN, 0}, {other, POLLIN, 0}};
  for (const Job& job : jobs_) {
    if (job.listener) waiting.push_back({job.listener.get(), POLLIN, 0});
    for (const env::Descriptor& peer : job.peers) waiting.push_back({peer.get(), POLLIN, 0});
  }
  if (::poll(waiting.data(), waiting.size(), milliseconds_to_next()) < 0) return false;
  if (waiting[0].revents != 0) {
    std::array<signalfd_siginfo, 8> infos{};
    const ssize_t bytes = ::read(signals_.get(), infos.data(), sizeof infos);
    for (std::size_t i = 0; bytes > 0 && i < static_cast<std::size_t>(bytes) / sizeof infos[0]; ++i) {
      if (infos[i].ssi_signo != SIGCHLD) asked_to_end_ = true;
    }
    if (asked_to_end_) {
      for (Job& job : jobs_) cancel(job);
    }
  }
  if (std::any_of(waiting.begin() + 2, waiting.end(), [](const pollfd& one) { return one.revents != 0; })) {
    for (Job& job : jobs_) hear(job);
  }
  reap();
  settle();
  return waiting[1].revents != 0;
}

void Watch::reap() {
  int status = 0;
  rusage usage{};
  pid_t pid = 0;
  while ((pid = ::wait4(-1, &status, WNOHANG, &usage)) > 0) {
    const auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& one) { return one.pid == pid; });
    if (job != jobs_.end() && !job->ended) on_job_end(*job, status, usage);
    std::erase(others_, pid);
  }
}

void Watch::on_job_end(Job& job, int status, const rusage& usage) {
  ExitRecord record;
  record.kind = WIFSIGNALED(status) ? ExitKind::signalled : ExitKind::exited;
  record.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  record.timed_out = job.timed_out;
  record.cancelled = job.cancelled;
  record.seconds = std::chrono::duration<double>(Clock::now() - job.started).count();
  if (WIFSIGNALED(status))
    record.over_lease_bytes = job.over_lease_bytes;  // else it was quicker, and ended well or not
  record.lease_bytes = job.request.memory_bytes;
  record.peak_memory_bytes = std::max(static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U, job.over_lease_bytes);
  job.ended = record;
  job.timeout_at.reset();
  job.kill_at.reset();
  job.memory_at.reset();
  job.let_go_at = Clock::now() + kLetGo;
  ::kill(-job.pid, SIGKILL);
}

/// Whatever jobs that have ended started, also in groups and sessions of its own: children of this process now.
std::vector<std::int64_t> Watch::left_behind() const {
  std::vector<std::int64_t> found = env::children();
  std::erase_if(found, [&](std::int64_t pid) {
    if (std::find(others_.begin(), others_.end(), pid) != others_.end()) return true;
    return std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.pid == pid && !job.ended; });
  });
  return found;
}

/// Lets go of jobs that have ended, once nothing is left of them.
void Watch::settle() {
  const auto ended = [](const Job& job) { return job.ended.has_value(); };
  if (std::none_of(jobs_.begin(), jobs_.end(), ended)) return;
  const std::vector<std::int64_t> strangers = left_behind();
  for (const std::int64_t stranger : strangers) {
    for (const std::int64_t pid : env::descendants(stranger)) ::kill(static_cast<pid_t>(pid), SIGKILL);
    ::kill(static_cast<pid_t>(stranger), SIGKILL);
  }
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    if (!job->ended || (!strangers.empty() && Clock::now() < *job->let_go_at)) {
      ++job;
      continue;
    }
    record_end(*job);
    const std::string nonce = std::move(job->request.nonce);
    job = jobs_.erase(job);
    if (told_) told_(nonce);
  }
}

void Watch::record_end(Job& job) {
  const exec::AttemptPaths& attempt = job.request.attempt;
  hear(job);
  // A host that is there makes all of it durable when it publishes; otherwise that may be after the next boot.
  const bool durably = !has_host_ && job.peers.empty() && env::sync_tree(attempt.directory).ok();
  if (!durably) job.ended->unsynced_boot = self_.boot_id;
  const std::string text = canonical(to_json(*job.ended));
  const auto written = durably ? env::write_file_durably(attempt.exit(), text) : env::write_file(attempt.exit(), text);
  if (job.listener) ::unlink(job.request.socket.c_str());
  if (!written.ok()) failed_ = true;
}

void Watch::keep_time(Job& job) {
  const auto now = Clock::now();
  if (job.timeout_at && now >= *job.timeout_at) {
    job.timeout_at.reset();
    job.timed_out = true;
    stop(job);
  }
  if (job.memory_at && now >= *job.memory_at) look_at_memory(job);
  if (job.kill_at && now >= *job.kill_at) {
    job.kill_at.reset();
    ::kill(-job.pid, SIGKILL);
  }
}

/// Ends a job that holds more than its lease, at once: what it would still allocate is what others have. The quick
/// figure can be too high, the exact one costs a job with large memory some milliseconds: it is asked for only then.
void Watch::look_at_memory(Job& job) const {
  job.memory_at = Clock::now() + kMemoryLook;
  std::vector<std::int64_t> processes = env::descendants(several_ ? job.pid : self_.pid);
  if (several_) processes.insert(processes.begin(), job.pid);  // before what it started: it must not tell of their end
  std::uint64_t held = 0;
  for (const bool quick : {true, false}) {
    held = 0;
    for (const std::int64_t pid : processes) held += env::held_memory(pid, quick);
    if (held <= job.request.memory_bytes) return;
  }
  job.over_lease_bytes = held;
  job.memory_at.reset();
  for (const std::int64_t pid : processes) ::kill(static_cast<pid_t>(pid), SIGKILL);
}

void Watch::stop(Job& job) {
  ::kill(-job.pid, SIGTERM);
  if (!job.kill_at) job.kill_at = Clock::now() + kGrace;
}

void Watch::cancel(Job& job) {
  if (!job.cancelled && !job.ended) stop(job);
  job.cancelled = true;
}

void Watch::cancel(const std::string& nonce) {
  for (Job& job : jobs_) {
    if (job.request.nonce == nonce) cancel(job);
  }
}

/// What came over its socket; who is gone is forgotten.
void Watch::hear(Job& job) {
  while (job.listener && is_readable(job.listener.get())) {
    env::Descriptor peer(::accept4(job.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!peer) break;
    job.peers.push_back(std::move(peer));
  }
  std::erase_if(job.peers, [&](const env::Descriptor& peer) {
    std::array<char, 64> buffer{};
    const ssize_t n = ::read(peer.get(), buffer.data(), buffer.size());
    if (n > 0 && std::find(buffer.begin(), buffer.begin() + n, 'c') != buffer.begin() + n) cancel(job);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  });
}

int Watch::milliseconds_to_next() const {
  std::optional<Clock::time_point> next;
  for (const Job& job : jobs_) {
    for (const auto& at : {job.timeout_at, job.kill_at, job.memory_at, job.let_go_at}) {
      if (at && (!next || *at < *next)) next = at;
    }
  }
  if (!next) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*next - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, 3'600'000));
}

}  // namespace lowbit::worker
