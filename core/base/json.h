// JSON is lowbit's vocabulary type for parameter values and records (docs/adr/0003). Objects keep their
// keys sorted, so `canonical()` of equal values is equal text: the recipe behind every key.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace lowbit {

using Json = nlohmann::json;

/// Compact text with sorted keys and shortest round-trip numbers; invalid UTF-8 is replaced, never thrown on.
inline std::string canonical(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace lowbit
