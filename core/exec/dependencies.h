// Who waits for whom, and how much work stands behind a variant. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "domain/duration_history.h"
#include "graph/expanded_graph.h"

namespace lowbit::exec {

class Dependencies {
 public:
  explicit Dependencies(const graph::ExpandedGraph& graph);

  /// Each once, in graph order.
  [[nodiscard]] const std::vector<graph::VariantIndex>& consumers_of(graph::VariantIndex producer) const {
    return consumers_[producer];
  }
  /// How many of its producers have not settled.
  [[nodiscard]] std::size_t waiting_for(graph::VariantIndex consumer) const { return waiting_for_[consumer]; }
  /// Nobody waits for it any longer, however it ended. Gives the consumers whose last producer it was.
  /// REQUIRES: once for each variant.
  [[nodiscard]] std::vector<graph::VariantIndex> settle(graph::VariantIndex producer);
  /// Counts anew, after some have become unsettled again.
  void recount(const std::function<bool(graph::VariantIndex)>& has_settled);

 private:
  std::vector<std::vector<graph::VariantIndex>> consumers_;
  std::vector<std::size_t> waiting_for_;
};

/// Seconds that each variant is likely to take: those of its stage, else of its plugin, else the mean of all that are
/// known here; 1 where nothing is.
[[nodiscard]] std::vector<double> expected_seconds(const graph::ExpandedGraph& graph, const DurationHistory& history);

/// The longest way from the start of each variant to an end of the graph, in the unit of `seconds`.
[[nodiscard]] std::vector<double> critical_paths(const Dependencies& dependencies, const std::vector<double>& seconds);

}  // namespace lowbit::exec
