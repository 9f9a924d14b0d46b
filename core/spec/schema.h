// The JSON Schema (draft-07) of experiment files, for editors: made of the same table that the reader checks with.
// It says what can be seen without plugins, axes and other files; the reader says the rest.
#pragma once

#include "base/json.h"

namespace lowbit::spec {

/// schemas/experiment.schema.json; `lowbit schema` prints it.
[[nodiscard]] Json experiment_schema();

}  // namespace lowbit::spec
