// The final metrics that stages may report: schemas/metrics.yaml, compiled in. A name, its unit and which way is
// better are fixed once, so that tables compare like with like. Thread-safe: read-only after the first call.
//
//   if (const auto problem = metric_problem(row)) ...  // "`weights/nmse` is in ratio, not in percent"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/result.h"

namespace lowbit {

enum class Better { none, up, down };

struct MetricDefinition {
  std::string name;  ///< "weights/nmse"; <task>, <name>, <context> and <k> stand for parts that vary
  std::string unit;  ///< "fraction"; empty: any
  Better better = Better::none;
  std::string doc;
};

[[nodiscard]] const std::vector<MetricDefinition>& metric_definitions();

/// The definition that `name` falls under; null when it is not in the registry.
[[nodiscard]] const MetricDefinition* find_metric(std::string_view name);

/// Why `metric` may not be reported, if it may not. Final (step -1): in the registry (x/<name> is for experiments), in
/// its unit, finite. A curve point may have any name, but a name of the registry keeps its unit, and NaN is news.
[[nodiscard]] std::optional<std::string> metric_problem(const MetricRow& metric);

}  // namespace lowbit
