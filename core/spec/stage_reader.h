// The `stages` of an experiment file.
#pragma once

#include <optional>

#include "domain/experiment_spec.h"
#include "spec/form.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// What could be read of one stage; nothing when it is no mapping or has no usable id. Problems go to `form`.
[[nodiscard]] std::optional<StageSpec> read_stage(const Node& node, const KnownAxes& axes, Form& form);

}  // namespace lowbit::spec
