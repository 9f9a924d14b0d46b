// JSON as people read it. Pure.
#pragma once

#include <string>

#include "base/json.h"

namespace lowbit::interchange {

/// With an indent of two, as Python's json.dumps(value, indent=2, ensure_ascii=False) writes it; keys are sorted,
/// invalid UTF-8 is replaced.
[[nodiscard]] inline std::string indented_json(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lowbit::interchange
