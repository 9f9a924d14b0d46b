// One program in its own process group: started without a shell, watched, ended with all that it started.
// Belongs to one thread: the program is killed by the kernel when that thread's process goes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lowbit::command {

struct Command {
  std::vector<std::string> arguments;              ///< the program first: a path, or a name looked up in PATH
  std::map<std::string, std::string> environment;  ///< added to this process's own
  std::filesystem::path directory;                 ///< where it runs
};

/// How a program ended.
struct Ending {
  bool signalled = false;
  int code = 0;  ///< exit status, or the signal's number
};

class ChildProcess {
 public:
  /// Throws StageError(LB_BAD_PARAM) when there is no such program or it cannot be executed.
  explicit ChildProcess(const Command& command);
  /// Kills what is left of the group.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Passes stderr through for at most `limit`; returns as soon as the program has ended, then with its ending.
  std::optional<Ending> watch(std::chrono::milliseconds limit);
  /// SIGTERM to the group, SIGKILL after `grace`; returns when the program has ended.
  void stop(std::chrono::milliseconds grace);
  /// The last lines the program wrote to stderr, at most 20, each cut at 500 bytes.
  [[nodiscard]] std::string last_words() const;

 private:
  void drain();
  void remember(std::string_view piece);
  std::optional<Ending> reap();

  pid_t pid_ = -1;
  int pid_descriptor_ = -1;
  int stderr_ = -1;
  std::optional<Ending> ending_;
  std::deque<std::string> lines_;  ///< the last one may still grow
};

}  // namespace lowbit::command
