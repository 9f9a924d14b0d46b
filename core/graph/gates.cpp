#include "graph/gates.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"

namespace lowbit::graph {
namespace {

std::string figure(double value) { return canonical(Json(value)); }

std::string problem_of(const Gate& gate, const std::vector<MetricRow>& metrics) {
  const auto metric =
      std::find_if(metrics.begin(), metrics.end(), [&](const MetricRow& row) { return row.name == gate.metric; });
  if (metric == metrics.end()) return "the gate cannot judge: there is no metric " + gate.metric;
  if (gate.max && !(metric->value <= *gate.max)) {
    return gate.metric + " is " + figure(metric->value) + ", above " + figure(*gate.max);
  }
  if (gate.min && !(metric->value >= *gate.min)) {
    return gate.metric + " is " + figure(metric->value) + ", below " + figure(*gate.min);
  }
  return {};
}

}  // namespace

std::string gate_problem(const std::vector<Gate>& gates, const std::vector<MetricRow>& metrics) {
  for (const MetricRow& metric : metrics) {
    if (metric.step < 0 && !std::isfinite(metric.value)) return metric.name + " is not a finite number";
  }
  for (const Gate& gate : gates) {
    if (std::string problem = problem_of(gate, metrics); !problem.empty()) return problem;
  }
  return {};
}

std::string behind_gate(std::string_view label, std::string_view problem) {
  return "behind the gate of " + std::string(label) + ": " + std::string(problem);
}

}  // namespace lowbit::graph
