// Values to try a parameter with, made from its JSON Schema (draft-07, the part graph/bind_params.h enforces). Pure.
#pragma once

#include <vector>

#include "base/json.h"

namespace lowbit::exec {

/// Whether a parameter of this schema may be `value`.
[[nodiscard]] bool is_legal_value(const Json& schema, const Json& value);

/// One value just outside each bound: of a number, of the length of a text, of the least length of a list, and, as the
/// only member of a list, of its members; a value that is not among the choices. Empty when nothing is bounded.
[[nodiscard]] std::vector<Json> values_outside(const Json& schema);

/// Up to four other legal values not far from `value`, so that none makes a job a thousand times longer. Empty when
/// the schema does not tell what is sensible: free text, lists, objects.
[[nodiscard]] std::vector<Json> values_beside(const Json& schema, const Json& value);

}  // namespace lowbit::exec
