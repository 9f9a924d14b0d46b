// `resources` and `retry`, of a stage and of a profile, and the gates of a stage.
#pragma once

#include <vector>

#include "domain/experiment_spec.h"
#include "spec/form.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// What was refused is reported and has its default.
[[nodiscard]] Resources read_resources(const Node& node, Form& form);
[[nodiscard]] RetryPolicy read_retry(const Node& node, Form& form);
[[nodiscard]] std::vector<Gate> read_gates(const Node& node, Form& form);

}  // namespace lowbit::spec
