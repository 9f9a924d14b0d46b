#include "exec/dependencies.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.h"

namespace lowbit::exec {

Dependencies::Dependencies(const graph::ExpandedGraph& graph)
    : consumers_(graph.variants.size()), waiting_for_(graph.variants.size(), 0) {
  for (graph::VariantIndex i = 0; i < graph.variants.size(); ++i) {
    graph::for_each_awaited(graph.variants[i], [&](graph::VariantIndex awaited) {
      std::vector<graph::VariantIndex>& consumers = consumers_[awaited];
      if (!consumers.empty() && consumers.back() == i) return;  // two of its inputs, one producer
      consumers.push_back(i);
      ++waiting_for_[i];
    });
  }
}

std::vector<graph::VariantIndex> Dependencies::settle(graph::VariantIndex producer) {
  std::vector<graph::VariantIndex> unblocked;
  for (const graph::VariantIndex consumer : consumers_[producer]) {
    LB_CHECK(waiting_for_[consumer] > 0);
    if (--waiting_for_[consumer] == 0) unblocked.push_back(consumer);
  }
  return unblocked;
}

void Dependencies::recount(const std::function<bool(graph::VariantIndex)>& has_settled) {
  std::fill(waiting_for_.begin(), waiting_for_.end(), 0);
  for (graph::VariantIndex producer = 0; producer < consumers_.size(); ++producer) {
    if (has_settled(producer)) continue;
    for (const graph::VariantIndex consumer : consumers_[producer]) ++waiting_for_[consumer];
  }
}

std::vector<double> expected_seconds(const graph::ExpandedGraph& graph, const DurationHistory& history) {
  std::vector<std::optional<double>> known;
  double sum = 0;
  std::size_t count = 0;
  for (const graph::Variant& variant : graph.variants) {
    std::optional<double> seconds;
    if (const auto stage = history.by_stage.find(variant.stage); stage != history.by_stage.end()) {
      seconds = stage->second;
    } else if (const auto plugin = history.by_plugin.find(variant.plugin->id); plugin != history.by_plugin.end()) {
      seconds = plugin->second;
    }
    if (seconds && std::isfinite(*seconds)) {
      sum += *seconds;
      ++count;
    }
    known.push_back(seconds);
  }
  const double unknown = count > 0 ? sum / static_cast<double>(count) : 1;
  std::vector<double> seconds;
  seconds.reserve(known.size());
  for (const auto& one : known) seconds.push_back(one && std::isfinite(*one) ? *one : unknown);
  return seconds;
}

std::vector<double> critical_paths(const Dependencies& dependencies, const std::vector<double>& seconds) {
  std::vector<double> paths(seconds.size(), 0);
  for (std::size_t i = seconds.size(); i-- > 0;) {  // producers stand before consumers
    double behind = 0;
    for (const graph::VariantIndex consumer : dependencies.consumers_of(i)) behind = std::max(behind, paths[consumer]);
    paths[i] = seconds[i] + behind;
  }
  return paths;
}

}  // namespace lowbit::exec
