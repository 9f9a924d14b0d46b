// What variants will take, judged by what their like has taken. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/expanded_graph.h"
#include "graph/plan.h"

namespace lowbit::graph {

/// One earlier result.
struct CostSample {
  std::string label;  ///< of the variant it was made for
  std::string plugin_id;
  double seconds = 0;
  std::uint64_t bytes = 0;  ///< of its artifacts
};

/// Medians.
struct Cost {
  double seconds = 0;
  std::uint64_t bytes = 0;
  std::size_t from = 0;  ///< earlier results
};

class CostHistory {
 public:
  CostHistory() = default;
  explicit CostHistory(const std::vector<CostSample>& samples);

  /// By the results of the same plugin with the same label; where there are none, with the same stage; else nothing.
  [[nodiscard]] std::optional<Cost> of(const Variant& variant) const;
  [[nodiscard]] std::optional<Cost> of(const std::string& plugin_id, const std::string& label) const;
  /// Earlier results of the same plugin and stage.
  [[nodiscard]] std::size_t results_like(const Variant& variant) const;

 private:
  using Name = std::pair<std::string, std::string>;  ///< plugin, and label or stage
  std::map<Name, Cost> by_label_;
  std::map<Name, Cost> by_stage_;
};

/// Of what a plan says will run or may run.
struct PlanCost {
  std::size_t known = 0;    ///< variants that have a like
  std::size_t unknown = 0;  ///< variants that have none: not in the sums
  std::size_t from = 0;     ///< earlier results that the sums rest on
  double seconds = 0;       ///< all of them one after the other
  double at_once = 0;       ///< with `cpus` busy: no less than the longest chain
  std::uint64_t bytes = 0;
};

[[nodiscard]] PlanCost cost_of(const ExpandedGraph& graph, const Plan& plan, const CostHistory& history, unsigned cpus);

/// One line, "estimate: ...", ending in a newline; empty when nothing is to run.
[[nodiscard]] std::string cost_text(const PlanCost& cost, unsigned cpus);
/// The members by their names; seconds, at_once and bytes are null when nothing is known.
[[nodiscard]] Json cost_json(const PlanCost& cost);

}  // namespace lowbit::graph
