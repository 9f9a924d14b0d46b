// A study that is planned and run in memory: expands an experiment, plans it against what earlier runs left, and
// pretends to run it by the decisions of the plan and of decide(), as an executor does.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "graph/plan.h"
#include "support/memory_results.h"
#include "support/toy_catalog.h"

namespace lowbit::test {

struct RunOptions {
  graph::PlanOptions plan = {};
  std::set<std::string> fails = {};  ///< labels of variants that fail
  std::string killed_before = {};    ///< the run ends before this label
};

class Study {
 public:
  explicit Study(std::string_view catalog) : catalog_(catalog) {}

  /// Throws std::runtime_error with the diagnostics when `yaml` cannot be expanded.
  [[nodiscard]] graph::ExpandedGraph expand(const std::string& yaml) const;
  [[nodiscard]] graph::Plan plan(const graph::ExpandedGraph& graph, const graph::PlanOptions& options = {}) const;
  /// plan_text() with details.
  [[nodiscard]] std::string plan_text(const std::string& yaml, const graph::PlanOptions& options = {}) const;
  /// Labels of what ran, in order. An artifact's bytes follow from everything in the content record but the
  /// parameter `comment`, and from `salt`.
  std::vector<std::string> run(const std::string& yaml, const RunOptions& options = {});

  MemoryResults results;
  graph::PluginDigests plugins;              ///< files of the plugins; empty: not known
  std::map<std::string, std::string> files;  ///< path -> content; any other external input contains its path
  std::string salt;                          ///< what differs between runs of a plugin that is not reproducible

 private:
  [[nodiscard]] graph::ExternalDigests externals(const graph::ExpandedGraph& graph) const;
  [[nodiscard]] StageResult made(const graph::Variant& variant, const graph::Key& content) const;

  ToyCatalog catalog_;
};

}  // namespace lowbit::test
