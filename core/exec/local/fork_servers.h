// Processes that have loaded a library which is slow to load (libtorch: a third of a second) and fork the shims of its
// jobs (worker/fork_server.h). One for each library and environment, started when first needed; they end with the host.
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

  /// Hands an attempt and a copy of its listening socket to the server of its library. False when there is none to be
  /// had: the attempt is then started as any other.
  [[nodiscard]] bool start(const JobRequest& request, const AttemptPaths& attempt,
                           const std::vector<std::string>& environment, int listener);

 private:
  std::filesystem::path program_;
  std::filesystem::path working_directory_;
  std::map<std::string, std::unique_ptr<env::Descriptor>> servers_;  ///< sockets, by library and environment
};

}  // namespace lowbit::exec
