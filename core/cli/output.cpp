#include "cli/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "env/process.h"

namespace lowbit::cli {

void print_json(const Json& value) {
  std::fputs((value.dump(1, ' ', false, Json::error_handler_t::replace) + "\n").c_str(), stdout);
}

Result<void> flush_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int failure = errno;
  if (flushed && std::ferror(stdout) == 0) return {};
  if (failure == EPIPE || env::reader_is_gone(1)) return {};
  Diagnostic problem = error("LB6107", "not all of the output could be written");
  if (failure != 0) problem.note(std::strerror(failure));
  return problem.fix("make room where it goes, then the same command");
}

}  // namespace lowbit::cli
