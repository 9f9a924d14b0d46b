#include "exec/local/fork_servers.h"

#include <sys/socket.h>

#include <array>
#include <string_view>
#include <utility>

#include "env/posix/descriptor.h"
#include "exec/local/fork_request.h"
#include "exec/local/spawn.h"

namespace lowbit::exec {
namespace {

constexpr std::string_view kAttemptVariable = "LOWBIT_ATTEMPT=";

/// What the jobs of one server have in common.
std::string key_of(const JobRequest& request, const std::vector<std::string>& environment) {
  std::string key = request.preload ? request.library.string() : std::string();
  for (const std::string& entry : environment) {
    if (entry.compare(0, kAttemptVariable.size(), kAttemptVariable) != 0) key += '\n' + entry;
  }
  return key;
}

}  // namespace

ForkServers::ForkServers(std::filesystem::path program, std::filesystem::path working_directory)
    : program_(std::move(program)), working_directory_(std::move(working_directory)) {}
ForkServers::~ForkServers() = default;

bool ForkServers::start(const JobRequest& request, const AttemptPaths& attempt,
                        const std::vector<std::string>& environment, int listener) {
  const std::string key = key_of(request, environment);
  auto found = servers_.find(key);
  if (found == servers_.end()) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
    auto mine = std::make_unique<env::Descriptor>(ends[0]);
    const env::Descriptor theirs(ends[1]);
    std::vector<std::string> words{program_.string(), "worker", "--fork-server", std::to_string(kInheritedDescriptor)};
    if (request.preload) words.insert(words.end(), {"--library", request.library.string()});
    const auto server = spawn({.program = program_,
                               .words = std::move(words),
                               .environment = environment,
                               .standard_output = "/dev/null",
                               .standard_error = "/dev/null",
                               .inherited = theirs.get(),
                               .working_directory = working_directory_});
    if (!server.ok()) return false;
    found = servers_.emplace(key, std::move(mine)).first;
  }
  // A server that is still loading finds the message when it is done.
  if (send_fork_request(found->second->get(), {request.attempt, attempt, listener})) return true;
  servers_.erase(found);  // it is gone, or buried in work: the next attempt gets a new one
  return false;
}

}  // namespace lowbit::exec
