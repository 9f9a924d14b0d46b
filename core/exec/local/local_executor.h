// Jobs as processes of this machine. Each has a shim (worker/shim.h), in a session of its own; brief ones are watched
// by the fork server that forked them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "exec/executor.h"
#include "exec/local/asio_loop.h"
#include "exec/local/fork_servers.h"

namespace lowbit::exec {

/// `program` is the lowbit binary: its `worker --shim` runs the jobs, in `working_directory` (empty: the host's own;
/// otherwise `program` is absolute). All calls on the loop's thread.
class LocalExecutor : public Executor {
 public:
  LocalExecutor(AsioLoop& loop, std::filesystem::path program, std::filesystem::path working_directory = {});
  ~LocalExecutor() override;

  [[nodiscard]] Result<void> start(const JobRequest& request, const AttemptPaths& attempt,
                                   const std::vector<std::string>& environment, OnEnd on_end) override;
  void adopt(const JobRequest& request, const AttemptPaths& attempt, OnEnd on_end) override;
  void cancel(const std::string& attempt) override;

 private:
  struct Job;
  [[nodiscard]] Result<void> start_shim(const JobRequest& request, const std::vector<std::string>& environment,
                                        Job& job);
  static void connect(Job& job);
  static void tell_cancel(Job& job);
  void wait_for_end(const std::shared_ptr<Job>& job);
  void wait_for_lock(const std::shared_ptr<Job>& job);
  void end(const std::shared_ptr<Job>& job);

  AsioLoop& loop_;
  std::filesystem::path program_;
  std::filesystem::path working_directory_;
  ForkServers fork_servers_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;  ///< by attempt nonce
};

}  // namespace lowbit::exec
