// Which JSON Schemas a stage may declare for its parameters: closed draft-07 objects made of the keywords that lowbit
// itself enforces, so that nothing an author wrote down goes unchecked.
#pragma once

#include <string>

#include "base/diagnostic.h"
#include "base/json.h"

namespace lowbit::plugin {

/// Every problem of `schema` (LB4011); `stage` is the subject of the messages.
[[nodiscard]] Diagnostics check_params_schema(const Json& schema, const std::string& stage);

}  // namespace lowbit::plugin
