// Processes that fork jobs (worker/fork_server.h), so that none pays for the start of a program: one for each
// environment, and one for each library besides which is slow to load (libtorch: a third of a second) or whose jobs are
// brief, and which it has loaded. Started when first needed; they end with the host, or with the last job that they
// watch.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exec/attempt_files.h"
#include "exec/local/asio_loop.h"

namespace lowbit::exec {

class ForkServers {
 public:
  ForkServers(AsioLoop& loop, std::filesystem::path program, std::filesystem::path working_directory);
  ~ForkServers();

  /// Has a shim of its own forked for the job, which gets a copy of `listener`. False when there is no server to be
  /// had: the attempt is then started as any other.
  [[nodiscard]] bool fork_shim(const JobRequest& request, const AttemptPaths& attempt,
                               const std::vector<std::string>& environment, int listener);
  /// Has the job forked and watched by the server itself. `on_end` is called once, later: when it has ended
  /// (`told`), or when the server is gone.
  [[nodiscard]] bool watch(const JobRequest& request, const AttemptPaths& attempt,
                           const std::vector<std::string>& environment, std::function<void(bool told)> on_end);
  /// Of a job that a server watches; another's is left alone.
  void cancel(const std::string& nonce);

 private:
  struct Server;
  std::shared_ptr<Server> send(const JobRequest& request, const AttemptPaths& attempt,
                               const std::vector<std::string>& environment, int listener);
  std::shared_ptr<Server> spawn_server(const JobRequest& request, const std::vector<std::string>& environment);
  static void hear(const std::shared_ptr<Server>& server);

  AsioLoop& loop_;
  std::filesystem::path program_;
  std::filesystem::path working_directory_;
  std::map<std::string, std::shared_ptr<Server>> servers_;  ///< by library and environment
};

}  // namespace lowbit::exec
