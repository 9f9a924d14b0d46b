// One result, one artifact, or the differences between two, for a person. Pure: the documents are those of
// cli/project_facts.h.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace lowbit::report {

/// What `lowbit show` prints of a variant: state, key, parameters, inputs, outputs, metrics, attempts.
[[nodiscard]] std::string result_page(const Json& variant);
[[nodiscard]] std::string artifact_page(const Json& artifact);

/// Metrics that differ: [{"name", "unit", "a", "b", "delta"}], by name; a and b are null where there is none, and delta
/// with them.
[[nodiscard]] Json metric_differences(const Json& a, const Json& b);

/// {"a", "b": names, "record": [lines], "metrics": metric_differences(), "equal_metrics": n} as text.
[[nodiscard]] std::string difference_page(const Json& difference);
/// {"a", "b", "only_a": [labels], "only_b": [labels], "changed": [{"label", "record", "metrics"}], "equal": n} as text.
[[nodiscard]] std::string differences_page(const Json& differences);

}  // namespace lowbit::report
