// Descriptions of points by axes and values: entries of `exclude` and `include`, and `when`.
#pragma once

#include <optional>
#include <vector>

#include "domain/experiment_spec.h"
#include "spec/form.h"
#include "spec/language.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// One entry: `{quantizer: awq, num_bits: [2, 3]}`. Nothing when it is no mapping or empty (reported); what else is
/// wrong is reported and left out. `seed_too`: it may name `seed`.
[[nodiscard]] std::optional<AxisValues> read_points(const Node& node, Place place, const KnownAxes& axes, Form& form,
                                                    bool seed_too);

/// The value of `when`: one entry, or a list of them.
[[nodiscard]] std::vector<AxisValues> read_when(const Node& node, const KnownAxes& axes, Form& form);

}  // namespace lowbit::spec
