#include "tasks/places.h"

namespace lowbit::tasks {

std::string fill_places(std::string_view text, const std::function<std::string(const std::string& name)>& value_of) {
  std::string filled;
  for (size_t at = 0; at < text.size();) {
    const size_t open = text.find("{{", at);
    const size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) return filled.append(text.substr(at));
    filled.append(text.substr(at, open - at));
    filled += value_of(std::string(text.substr(open + 2, close - open - 2)));
    at = close + 2;
  }
  return filled;
}

}  // namespace lowbit::tasks
