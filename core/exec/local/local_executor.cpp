#include "exec/local/local_executor.h"

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
#include "exec/local/job_socket.h"
#include "exec/local/spawn.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;
using boost::asio::local::stream_protocol;
using namespace std::chrono_literals;

constexpr auto kLockPoll = 10ms;

}  // namespace

struct LocalExecutor::Job {
  Job(boost::asio::io_context& context, AttemptPaths paths, OnEnd end)
      : attempt(std::move(paths)), on_end(std::move(end)), socket(context) {}

  AttemptPaths attempt;
  OnEnd on_end;
  stream_protocol::socket socket;
  std::array<char, 1> byte{};
  std::string nonce;
  pid_t child = -1;     ///< the shim, when it is our own child; a fork server's is not
  fs::path to_connect;  ///< of an adopted job, until someone listens there
  bool cancelled = false;
};

LocalExecutor::LocalExecutor(AsioLoop& loop, fs::path program, fs::path working_directory)
    : loop_(loop),
      program_(std::move(program)),
      working_directory_(std::move(working_directory)),
      fork_servers_(loop, program_, working_directory_) {}
LocalExecutor::~LocalExecutor() = default;

Result<void> LocalExecutor::start(const JobRequest& request, const AttemptPaths& attempt,
                                  const std::vector<std::string>& environment, OnEnd on_end) {
  auto job = std::make_shared<Job>(loop_.context(), attempt, std::move(on_end));
  job->nonce = request.attempt;
  if (!request.brief || !fork_servers_.watch(request, attempt, environment,
                                             [this, job](bool told) { told ? end(job) : wait_for_lock(job); })) {
    LB_TRY(start_shim(request, environment, *job));
    connect(request.socket, *job);
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

void LocalExecutor::connect(const fs::path& socket, Job& job) {
  boost::system::error_code code;
  job.socket.connect(stream_protocol::endpoint(socket.string()), code);
  if (code) job.socket.close(code);
}

void LocalExecutor::adopt(const JobRequest& request, const AttemptPaths& attempt, OnEnd on_end) {
  auto job = std::make_shared<Job>(loop_.context(), attempt, std::move(on_end));
  job->nonce = request.attempt;
  job->to_connect = request.socket;
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
  boost::system::error_code code;
  if (job.cancelled && job.socket.is_open()) boost::asio::write(job.socket, boost::asio::buffer("c", 1), code);
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
  auto lock = env::FileLock::try_take(job->attempt.lock());
  if (!lock.ok() || lock->has_value()) return end(job);
  if (!job->to_connect.empty()) connect(job->to_connect, *job);
  if (!job->to_connect.empty() && job->socket.is_open()) {
    job->to_connect.clear();
    tell_cancel(*job);
    return wait_for_end(job);
  }
  loop_.after(kLockPoll, [this, job] { wait_for_lock(job); });
}

void LocalExecutor::end(const std::shared_ptr<Job>& job) {
  boost::system::error_code code;
  job->socket.close(code);
  jobs_.erase(job->nonce);
  job->on_end();
}

}  // namespace lowbit::exec
