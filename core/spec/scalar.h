// What a value means. Quoted text is text. Unquoted it is read by the YAML 1.2 core schema, and what YAML 1.1
// readers take for something else (no, 010, 1:30, 1_000) is refused, so that a file means one thing everywhere.
//
//   null ~ Null NULL          null
//   true false (True, TRUE)   boolean
//   12 -3 +4 0x1F 0o17        integer, 64 bit signed
//   1.5 .5 5. 1e-6            number, finite
//   anything else             text
#pragma once

#include <string>

#include "base/diagnostic.h"
#include "base/json.h"
#include "base/result.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// REQUIRES: node is a scalar and not missing().
[[nodiscard]] Result<Json> scalar_value(const Node& node);

/// The whole tree below `node`; a value that cannot be read is reported and stands as null.
[[nodiscard]] Json value_of(const Node& node, Diagnostics& problems);

/// For messages: "a list", "a mapping", "nothing", "the text `x`", "the number 4", "true", "null".
[[nodiscard]] std::string found(const Node& node);

}  // namespace lowbit::spec
