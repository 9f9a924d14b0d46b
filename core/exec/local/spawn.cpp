#include "exec/local/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include "env/files.h"
#include "env/posix/descriptor.h"
#include "env/posix/exec_words.h"

namespace lowbit::exec {
Result<pid_t> spawn(NewProcess process) {
  const std::vector<char*> arguments = env::exec_words(process.words);
  const std::vector<char*> variables = env::exec_words(process.environment);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, process.standard_output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::posix_spawn_file_actions_addopen(&actions, 2, process.standard_error.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  // dup2 onto itself would keep close-on-exec; moving it out of the way first makes the copy inheritable.
  const env::Descriptor moved(::fcntl(process.inherited, F_DUPFD_CLOEXEC, kInheritedDescriptor + 1));
  ::posix_spawn_file_actions_adddup2(&actions, moved.get(), kInheritedDescriptor);
  if (!process.working_directory.empty()) {
    ::posix_spawn_file_actions_addchdir_np(&actions, process.working_directory.c_str());
  }

  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) sigaddset(&defaults, signal);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  pid_t child = -1;
  const int problem =
      ::posix_spawn(&child, process.program.c_str(), &actions, &attributes, arguments.data(), variables.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) return env::file_error("starting", process.program, problem);
  return child;
}

}  // namespace lowbit::exec
