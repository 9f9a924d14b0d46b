#include "cli/output_width.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/whole_number.h"

namespace lowbit::cli {

std::size_t output_width() {
  constexpr std::size_t kOfOldTerminals = 80;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const auto width = columns == nullptr ? std::nullopt : whole_number_in<unsigned>(columns);
  return width && *width > 0 ? *width : kOfOldTerminals;
}

}  // namespace lowbit::cli
