// What lm-evaluation-harness measures, under the names of schemas/metrics.yaml.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lowbit::lm_eval {

/// What stands for a name with characters that a part of a metric's name cannot have: `_` for each of them.
[[nodiscard]] std::string part_of_name(std::string_view text);

struct MetricName {
  std::string name;                      ///< "gsm8k/exact_match@strict-match"
  std::string unit;                      ///< "fraction"
  std::optional<bool> higher_is_better;  ///< nothing: not known to lowbit
};

/// `filter` "none" is the absence of one. A metric that schemas/metrics.yaml does not know is `x/<task>.<metric>`, with
/// a filter `x/<task>.<metric>.<filter>`.
[[nodiscard]] MetricName metric_name(std::string_view task, std::string_view metric, std::string_view filter);

/// Whether a sample's value of this metric says right (1) or wrong (0), and the task's value is their mean.
[[nodiscard]] bool is_grade(std::string_view metric);

}  // namespace lowbit::lm_eval
