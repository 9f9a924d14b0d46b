// The jobs that this process has forked: their locks, their limits, who wants them to stop, and the record of how each
// of them ended. One thread, no database, no plugin code outside the jobs.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "env/file_lock.h"
#include "env/posix/descriptor.h"
#include "env/process.h"
#include "exec/attempt_files.h"
#include "exec/local/fork_request.h"

namespace lowbit::worker {

class Watch {
 public:
  enum class Jobs { one, several };
  using Told = std::function<void(const std::string& nonce)>;

  /// SIGTERM and SIGINT cancel all jobs from now on. `told`: called with the nonce of each job that has ended, when its
  /// lock is free. Jobs::one: the session is the job's and its standard output too; nobody is there but who connects.
  explicit Watch(Jobs jobs, Told told = {});
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Takes the attempt's lock and forks its job, which never returns from here. A lock that is held, or an exit.json
  /// that is there already, means the attempt is not ours to run: nothing happens, and false.
  /// Cancel and timeout send SIGTERM to the job's process group and SIGKILL ten seconds later.
  /// `not_for_job`: a descriptor that the job closes; -1: none.
  [[nodiscard]] Result<bool> start(exec::ForkRequest request, int not_for_job = -1);
  [[nodiscard]] bool idle() const { return jobs_.empty(); }
  [[nodiscard]] bool asked_to_end() const { return asked_to_end_; }
  void cancel(const std::string& nonce);

  /// Waits for what happens next. True when `other` has something to read; -1: there is none.
  bool wait(int other = -1);
  /// The host that asked for the jobs is gone: from now on others find them at their sockets.
  void listen();
  /// A child of this process that is none of these jobs, nor what one left behind.
  void leave_alone(pid_t child) { others_.push_back(child); }
  /// In a forked process, which has nothing to do with these jobs any more.
  void leave();

  [[nodiscard]] bool failed() const { return failed_; }  ///< a record could not be written

 private:
  using Clock = std::chrono::steady_clock;

  struct Job {
    exec::ForkRequest request;
    env::Descriptor listener;
    std::vector<env::Descriptor> peers;
    env::FileLock lock;  ///< after these: who sees a connection end finds it free
    pid_t pid = -1;
    Clock::time_point started;
    std::optional<Clock::time_point> timeout_at, kill_at, memory_at, let_go_at;
    std::uint64_t over_lease_bytes = 0;
    bool timed_out = false;
    bool cancelled = false;
    std::optional<exec::ExitRecord> ended;
  };

  [[noreturn]] void become_job(const exec::ForkRequest& request);
  void reap();
  void on_job_end(Job& job, int status, const rusage& usage);
  [[nodiscard]] std::vector<std::int64_t> left_behind() const;
  void settle();
  void record_end(Job& job);
  void keep_time(Job& job);
  void look_at_memory(Job& job) const;
  void stop(Job& job);
  void cancel(Job& job);
  void hear(Job& job);
  [[nodiscard]] int milliseconds_to_next() const;

  bool several_;
  Told told_;
  env::ProcessIdentity self_;
  sigset_t mask_before_;
  env::Descriptor signals_;
  std::list<Job> jobs_;
  std::vector<pid_t> others_;
  bool has_host_ = true;
  bool asked_to_end_ = false;
  bool failed_ = false;
};

}  // namespace lowbit::worker
