// Processes that fork the shims of jobs (worker/fork_server.h), so that no job pays for the start of a program: one for
// each environment, and one for each library besides which says that it is slow to load (libtorch: a third of a second)
// and which it has loaded. Started when first needed; they end with the host.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exec/attempt_files.h"

namespace lowbit::env {
class Descriptor;
}

namespace lowbit::exec {

class ForkServers {
 public:
  ForkServers(std::filesystem::path program, std::filesystem::path working_directory);
  ~ForkServers();

  /// Hands an attempt and a copy of its listening socket to its server. False when there is none to be
  /// had: the attempt is then started as any other.
  [[nodiscard]] bool start(const JobRequest& request, const AttemptPaths& attempt,
                           const std::vector<std::string>& environment, int listener);

 private:
  std::filesystem::path program_;
  std::filesystem::path working_directory_;
  std::map<std::string, std::unique_ptr<env::Descriptor>> servers_;  ///< sockets, by library and environment
};

}  // namespace lowbit::exec
