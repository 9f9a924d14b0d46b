#include "env/posix/proc_text.h"

#include <algorithm>
#include <charconv>

namespace lowbit::env {

std::uint64_t sum_of_kilobytes(std::string_view text, const std::vector<std::string_view>& names) {
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos ||
        std::find(names.begin(), names.end(), line.substr(0, colon)) == names.end()) {
      continue;
    }
    const auto digits = line.find_first_of("0123456789", colon);
    if (digits == std::string_view::npos) continue;
    std::uint64_t kilobytes = 0;
    std::from_chars(line.data() + digits, line.data() + line.size(), kilobytes);
    sum += kilobytes * 1024U;
  }
  return sum;
}

}  // namespace lowbit::env
