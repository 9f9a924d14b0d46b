// One result, one artifact, or the differences between two: as text for a person, as JSON for a program. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "domain/project_facts.h"

namespace lowbit::report {

/// What `lowbit show` prints of a variant: state, key, parameters, inputs, outputs, metrics, attempts.
[[nodiscard]] std::string result_page(const VariantFacts& variant);
/// {"label", "experiment", "stage", "plugin", "state", "provenance_key", "content_key", "directory", "seconds",
/// "record", "inputs": [{"port", "at", "type", "digest", "from", "path"}], "outputs": [{"port", "type", "digest",
/// "path", "bytes", "summary"}], "metrics": [{"name", "unit", "value", "std_error", "count"}], "attempts": [{"number",
/// "state", "started_at", "ended_at", "seconds", "directory", "failure"}]}; null where nothing is known.
[[nodiscard]] Json result_document(const VariantFacts& variant);

[[nodiscard]] std::string artifact_page(const ArtifactFacts& artifact);
/// {"digest", "type", "bytes", "path", "summary", "made_by": [labels], "used_by": [labels], "bases": [digests]}
[[nodiscard]] Json artifact_document(const ArtifactFacts& artifact);

/// Metrics that differ: [{"name", "unit", "a", "b", "delta"}], by name; a and b are null where there is none, and delta
/// with them.
[[nodiscard]] Json metric_differences(const std::vector<MetricRow>& a, const std::vector<MetricRow>& b);

/// {"a", "b": names, "record": [lines], "metrics": metric_differences(), "equal_metrics": n} as text.
[[nodiscard]] std::string difference_page(const Json& difference);
/// {"a", "b", "only_a": [labels], "only_b": [labels], "changed": [{"label", "record", "metrics"}], "equal": n} as text.
[[nodiscard]] std::string differences_page(const Json& differences);

}  // namespace lowbit::report
