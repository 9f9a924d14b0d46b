#include "exec/local/local_executor.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "env/file_lock.h"
#include "env/files.h"
#include "env/posix/descriptor.h"
#include "env/process.h"
#include "exec/local/spawn.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;
using boost::asio::local::stream_protocol;
using namespace std::chrono_literals;

constexpr auto kLockPoll = 10ms;
constexpr auto kUnknownPoll = 1000ms;

sockaddr_un address_of(const fs::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = socket.string();
  std::memcpy(address.sun_path, text.data(), std::min(text.size(), sizeof address.sun_path - 1));
  return address;
}

/// The host listens and hands the socket to the shim, so that it can connect before the shim has started: when the
/// last copy closes, the connection ends, however the shim died.
Result<env::Descriptor> listen_at(const fs::path& socket) {
  env::Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(socket);
  if (!listener || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 8) != 0) {
    return env::file_error("listening at", socket, errno);
  }
  return listener;
}

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
        socket_file(request.socket),
        socket(context),
        nonce(request.attempt) {}

  AttemptPaths attempt;
  OnEnd on_end;
  fs::path socket_file;
  stream_protocol::socket socket;
  std::array<char, 1> byte{};
  std::string nonce;
  pid_t child = -1;  ///< the shim, when it is our own child; a fork server's is not
};

LocalExecutor::LocalExecutor(AsioLoop& loop, fs::path program, fs::path working_directory)
    : loop_(loop),
      program_(std::move(program)),
      working_directory_(std::move(working_directory)),
      fork_servers_(program_, working_directory_) {}
LocalExecutor::~LocalExecutor() = default;

Result<void> LocalExecutor::start(const JobRequest& request, const AttemptPaths& attempt,
                                  const std::vector<std::string>& environment, OnEnd on_end) {
  LB_TRY_ASSIGN(const env::Descriptor listener, listen_at(request.socket));

  pid_t child = -1;
  if (!fork_servers_.start(request, attempt, environment, listener.get())) {
    LB_TRY_ASSIGN(child, spawn({.program = program_,
                                .words = {program_.string(), "worker", "--shim", attempt.directory.string(),
                                          "--listener", std::to_string(kInheritedDescriptor)},
                                .environment = environment,
                                .standard_output = attempt.standard_output(),
                                .standard_error = attempt.standard_error(),
                                .inherited = listener.get(),
                                .working_directory = working_directory_}));
  }

  auto job = std::make_shared<Job>(loop_.context(), request, attempt, std::move(on_end));
  job->child = child;
  jobs_[request.attempt] = job;
  boost::system::error_code code;
  job->socket.connect(stream_protocol::endpoint(request.socket.string()), code);
  wait_for_end(job);
  return {};
}

void LocalExecutor::adopt(const JobRequest& request, const AttemptPaths& attempt, OnEnd on_end) {
  auto job = std::make_shared<Job>(loop_.context(), request, attempt, std::move(on_end));
  jobs_[request.attempt] = job;
  boost::system::error_code code;
  job->socket.connect(stream_protocol::endpoint(request.socket.string()), code);
  wait_for_end(job);
}

void LocalExecutor::cancel(const std::string& attempt) {
  const auto it = jobs_.find(attempt);
  if (it == jobs_.end()) return;
  boost::system::error_code code;
  boost::asio::write(it->second->socket, boost::asio::buffer("c", 1), code);
  if (code) ask_shim_to_end(it->second->attempt);
}

// The shim never writes and never closes: whatever ends this read is its end.
void LocalExecutor::wait_for_end(const std::shared_ptr<Job>& job) {
  boost::asio::post(loop_.context(), [this, job] {
    if (!job->socket.is_open()) {
      wait_for_lock(job);
      return;
    }
    job->socket.async_read_some(boost::asio::buffer(job->byte),
                                [this, job](const boost::system::error_code&, std::size_t) { wait_for_lock(job); });
  });
}

// The kernel frees lock and socket in no particular order, and a shim without a socket is only known by its lock.
void LocalExecutor::wait_for_lock(const std::shared_ptr<Job>& job) {
  if (job->child > 0) {
    ::waitpid(job->child, nullptr, 0);
    job->child = -1;
  }
  const auto lock = env::FileLock::try_take(job->attempt.lock());
  const bool unknown = !lock.ok() && env::exists(job->attempt.directory);  // too many files are open, for one
  if (unknown || (lock.ok() && !lock->has_value())) {
    loop_.after(unknown ? kUnknownPoll : kLockPoll, [this, job] { wait_for_lock(job); });
    return;
  }
  end(job);
}

void LocalExecutor::end(const std::shared_ptr<Job>& job) {
  boost::system::error_code code;
  job->socket.close(code);
  ::unlink(job->socket_file.c_str());  // a shim that was killed left it
  jobs_.erase(job->nonce);
  job->on_end();
}

Result<fs::path> socket_path(const std::string& nonce) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  fs::path directory = runtime != nullptr && *runtime != '\0' && std::strlen(runtime) < 64
                           ? fs::path(runtime) / "lowbit"
                           : fs::path((::access("/dev/shm", W_OK) == 0 ? "/dev/shm/lowbit-" : "/tmp/lowbit-") +
                                      std::to_string(::getuid()));
  LB_TRY(env::make_directories(directory));
  if (::chmod(directory.c_str(), 0700) != 0) return env::file_error("restricting", directory, errno);
  return directory / (nonce + ".sock");
}

}  // namespace lowbit::exec
