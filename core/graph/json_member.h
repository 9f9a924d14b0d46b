// Reading JSON whose members may be absent.
#pragma once

#include "base/json.h"

namespace lowbit::graph {

inline const Json kAbsent;

/// The member of an object, or null.
[[nodiscard]] inline const Json& member(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() ? kAbsent : *it;
}

}  // namespace lowbit::graph
