// Starts lowbit's own program again, in a session of its own and with nothing of this process but what is said here.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace lowbit::exec {

/// The number under which a new process finds the one descriptor that it inherits.
inline constexpr int kInheritedDescriptor = 3;

struct NewProcess {
  std::filesystem::path program;
  std::vector<std::string> words;        ///< the arguments, the program's name first
  std::vector<std::string> environment;  ///< "NAME=value", all it sees
  std::filesystem::path standard_output, standard_error;
  int inherited = -1;                       ///< becomes kInheritedDescriptor
  std::filesystem::path working_directory;  ///< empty: this process's own; otherwise `program` is absolute
};

[[nodiscard]] Result<pid_t> spawn(NewProcess process);

}  // namespace lowbit::exec
