#include "exec/local/local_executor.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "env/file_lock.h"
#include "env/files.h"
#include "env/posix/descriptor.h"
#include "env/process.h"
#include "exec/local/job_socket.h"
#include "exec/local/spawn.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;
using boost::asio::local::stream_protocol;
using namespace std::chrono_literals;

constexpr auto kLockPoll = 10ms;
constexpr auto kUnknownPoll = 1000ms;
constexpr int kMostUnknown = 10;  // polls

/// For a job whose socket is gone: a logout may empty the directory of sockets while jobs go on.
void ask_shim_to_end(const AttemptPaths& attempt) {
  const auto text = env::read_file(attempt.shim());
  const Json json = text.ok() ? Json::parse(*text, nullptr, false) : Json();
  const auto shim = json.is_object() ? env::process_identity(json) : std::nullopt;
  if (shim && env::is_alive(*shim)) ::kill(static_cast<pid_t>(shim->pid), SIGTERM);
}

}  // namespace

struct LocalExecutor::Job {
  Job(boost::asio::io_context& context, const JobRequest& request, AttemptPaths paths, OnEnd end)
      : attempt(std::move(paths)),
        on_end(std::move(end)),
        nonce(request.attempt),
        brief(request.brief),
        socket(context) {}

  AttemptPaths attempt;
  OnEnd on_end;
  std::string nonce;
  bool brief;
  fs::path socket_file;  ///< where who watches it listens, or will; empty: a server of this host's watches it
  stream_protocol::socket socket;
  std::array<char, 1> byte{};
  pid_t child = -1;         ///< the shim, when it is our own child; a fork server's is not
  bool to_connect = false;  ///< adopted, and nobody listens yet
  bool cancelled = false;
  int times_unknown = 0;  ///< how often it could not be told whether its lock is held
};

LocalExecutor::LocalExecutor(AsioLoop& loop, fs::path program, fs::path working_directory)
    : loop_(loop),
      program_(std::move(program)),
      working_directory_(std::move(working_directory)),
      fork_servers_(loop, program_, working_directory_) {}
LocalExecutor::~LocalExecutor() = default;

Result<void> LocalExecutor::start(const JobRequest& request, const AttemptPaths& attempt,
                                  const std::vector<std::string>& environment, OnEnd on_end) {
  auto job = std::make_shared<Job>(loop_.context(), request, attempt, std::move(on_end));
  if (!request.brief || !fork_servers_.watch(request, attempt, environment,
                                             [this, job](bool told) { told ? end(job) : wait_for_lock(job); })) {
    job->socket_file = request.socket;
    if (auto started = start_shim(request, environment, *job); !started.ok()) {
      ::unlink(job->socket_file.c_str());
      return started;
    }
    connect(*job);
    wait_for_end(job);
  }
  jobs_[request.attempt] = std::move(job);
  return {};
}

/// The host listens and hands the socket to the shim, so that it can connect before the shim has started: when the
/// last copy closes, the connection ends, however the shim died.
Result<void> LocalExecutor::start_shim(const JobRequest& request, const std::vector<std::string>& environment,
                                       Job& job) {
  LB_TRY_ASSIGN(const env::Descriptor listener, listen_at(request.socket));
  if (fork_servers_.fork_shim(request, job.attempt, environment, listener.get())) return {};
  LB_TRY_ASSIGN(job.child, spawn({.program = program_,
                                  .words = {program_.string(), "worker", "--shim", job.attempt.directory.string(),
                                            "--listener", std::to_string(kInheritedDescriptor)},
                                  .environment = environment,
                                  .standard_output = job.attempt.standard_output(),
                                  .standard_error = job.attempt.standard_error(),
                                  .inherited = listener.get(),
                                  .working_directory = working_directory_}));
  return {};
}

void LocalExecutor::connect(Job& job) {
  boost::system::error_code code;
  job.socket.connect(stream_protocol::endpoint(job.socket_file.string()), code);
  if (code) job.socket.close(code);
}

void LocalExecutor::adopt(const JobRequest& request, const AttemptPaths& attempt, OnEnd on_end) {
  auto job = std::make_shared<Job>(loop_.context(), request, attempt, std::move(on_end));
  job->socket_file = request.socket;
  job->to_connect = true;
  jobs_[request.attempt] = job;
  loop_.post([this, job] { wait_for_lock(job); });
}

void LocalExecutor::cancel(const std::string& attempt) {
  const auto it = jobs_.find(attempt);
  if (it == jobs_.end()) return;
  fork_servers_.cancel(attempt);
  it->second->cancelled = true;
  tell_cancel(*it->second);
}

void LocalExecutor::tell_cancel(Job& job) {
  if (!job.cancelled || job.socket_file.empty()) return;
  boost::system::error_code code = boost::asio::error::not_connected;
  if (job.socket.is_open()) boost::asio::write(job.socket, boost::asio::buffer("c", 1), code);
  // A server that watches brief jobs will listen; a signal would end all of them.
  if (code && !job.brief) ask_shim_to_end(job.attempt);
}

// Who watches the job never writes and never closes before: whatever ends this read is its end.
void LocalExecutor::wait_for_end(const std::shared_ptr<Job>& job) {
  if (!job->socket.is_open()) {
    loop_.post([this, job] { wait_for_lock(job); });
    return;
  }
  job->socket.async_read_some(boost::asio::buffer(job->byte),
                              [this, job](const boost::system::error_code&, std::size_t) { wait_for_lock(job); });
}

// The kernel frees lock and socket in no particular order, and who has no socket is only known by the lock. One who
// watched for a host that died listens as soon as that is noticed.
void LocalExecutor::wait_for_lock(const std::shared_ptr<Job>& job) {
  if (job->child > 0) {
    ::waitpid(job->child, nullptr, 0);
    job->child = -1;
  }
  const auto lock = env::FileLock::try_take(job->attempt.lock());
  // Too many files are open, for one. When it stays so, who reads the attempt's record meets the same error, and tells
  // it.
  const bool unknown = !lock.ok() && env::exists(job->attempt.directory) && ++job->times_unknown <= kMostUnknown;
  if (!unknown && (!lock.ok() || lock->has_value())) return end(job);
  if (job->to_connect) connect(*job);
  if (job->to_connect && job->socket.is_open()) {
    job->to_connect = false;
    tell_cancel(*job);
    return wait_for_end(job);
  }
  loop_.after(unknown ? kUnknownPoll : kLockPoll, [this, job] { wait_for_lock(job); });
}

void LocalExecutor::end(const std::shared_ptr<Job>& job) {
  boost::system::error_code code;
  job->socket.close(code);
  if (!job->socket_file.empty()) ::unlink(job->socket_file.c_str());  // a shim that was killed left it
  jobs_.erase(job->nonce);
  job->on_end();
}

}  // namespace lowbit::exec
