#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace lowbit::detail {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr,
               "lowbit: a promise inside lowbit was broken: %s (%s:%d)\n"
               "  this is a bug in lowbit, not in your files; finished results are safe; please report this line\n",
               condition, file, line);
  std::abort();
}

}  // namespace lowbit::detail
