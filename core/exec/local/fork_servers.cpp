#include "exec/local/fork_servers.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <string_view>
#include <utility>

#include "env/posix/descriptor.h"
#include "exec/local/fork_request.h"
#include "exec/local/spawn.h"

namespace lowbit::exec {
namespace {

constexpr std::string_view kAttemptVariable = "LOWBIT_ATTEMPT=";

/// Of many brief jobs, all but the first few are better off with it loaded as well.
bool wants_library(const JobRequest& request) { return request.preload || request.brief; }

/// What the jobs of one server have in common.
std::string key_of(const JobRequest& request, const std::vector<std::string>& environment) {
  std::string key = wants_library(request) ? request.library.string() : std::string();
  for (const std::string& entry : environment) {
    if (entry.compare(0, kAttemptVariable.size(), kAttemptVariable) != 0) key += '\n' + entry;
  }
  return key;
}

}  // namespace

struct ForkServers::Server {
  Server(boost::asio::io_context& context, int descriptor) : socket(context, descriptor) {}

  boost::asio::posix::stream_descriptor socket;
  std::map<std::string, std::function<void(bool)>> watched;  ///< by nonce
};

ForkServers::ForkServers(AsioLoop& loop, std::filesystem::path program, std::filesystem::path working_directory)
    : loop_(loop), program_(std::move(program)), working_directory_(std::move(working_directory)) {}
ForkServers::~ForkServers() = default;

bool ForkServers::fork_shim(const JobRequest& request, const AttemptPaths& attempt,
                            const std::vector<std::string>& environment, int listener) {
  return send(request, attempt, environment, listener) != nullptr;
}

bool ForkServers::watch(const JobRequest& request, const AttemptPaths& attempt,
                        const std::vector<std::string>& environment, std::function<void(bool told)> on_end) {
  const std::shared_ptr<Server> server = send(request, attempt, environment, -1);
  if (server) server->watched.emplace(request.attempt, std::move(on_end));
  return server != nullptr;
}

void ForkServers::cancel(const std::string& nonce) {
  for (const auto& [key, server] : servers_) {
    if (server->watched.contains(nonce)) static_cast<void>(send_nonce(server->socket.native_handle(), nonce));
  }
}

std::shared_ptr<ForkServers::Server> ForkServers::send(const JobRequest& request, const AttemptPaths& attempt,
                                                       const std::vector<std::string>& environment, int listener) {
  const std::string key = key_of(request, environment);
  auto found = servers_.find(key);
  if (found == servers_.end()) {
    std::shared_ptr<Server> server = spawn_server(request, environment);
    if (!server) return nullptr;
    found = servers_.emplace(key, std::move(server)).first;
  }
  // A server that is still loading finds the message when it is done.
  if (send_fork_request(found->second->socket.native_handle(), fork_request(request, attempt, listener))) {
    return found->second;
  }
  // It is gone, or buried in work: the next attempt gets a new one, and this one is heard as long as it watches jobs.
  servers_.erase(found);
  return nullptr;
}

std::shared_ptr<ForkServers::Server> ForkServers::spawn_server(const JobRequest& request,
                                                               const std::vector<std::string>& environment) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return nullptr;
  auto server = std::make_shared<Server>(loop_.context(), ends[0]);
  const env::Descriptor theirs(ends[1]);
  std::vector<std::string> words{program_.string(), "worker", "--fork-server", std::to_string(kInheritedDescriptor)};
  if (wants_library(request)) words.insert(words.end(), {"--library", request.library.string()});
  std::vector<std::string> variables = environment;
  variables.emplace_back(kBindNow);
  const auto spawned = spawn({.program = program_,
                              .words = std::move(words),
                              .environment = std::move(variables),
                              .standard_output = "/dev/null",
                              .standard_error = "/dev/null",
                              .inherited = theirs.get(),
                              .working_directory = working_directory_});
  if (!spawned.ok()) return nullptr;
  hear(server);
  return server;
}

void ForkServers::hear(const std::shared_ptr<Server>& server) {
  server->socket.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                            [server](const boost::system::error_code& code) {
                              if (code) return;
                              auto nonce = receive_nonce(server->socket.native_handle());
                              for (; nonce && !nonce->empty(); nonce = receive_nonce(server->socket.native_handle())) {
                                const auto ended = server->watched.extract(*nonce);
                                if (ended) ended.mapped()(true);
                              }
                              if (nonce) return hear(server);
                              for (const auto& [lost, on_end] : std::exchange(server->watched, {})) on_end(false);
                            });
}

}  // namespace lowbit::exec
