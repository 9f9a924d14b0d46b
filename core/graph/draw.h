// Pictures of an experiment's stages, with what a plan says of them. Pure: text in, text out.
//
//   std::cout << draw_svg(drawing_of(graph, plan, {.failed = {"quantize[num_bits=3]"}}));
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "domain/study_recipes.h"
#include "domain/study_results.h"
#include "graph/expanded_graph.h"
#include "graph/plan.h"

namespace lowbit::graph {

/// How many variants of a node are in which state. Of a plan: `failed` are those of `run` and `maybe` whose last
/// attempt failed, and are counted here only. Of results: `done`, `failed` and `missing`.
struct DrawnCounts {
  std::size_t reuse = 0, run = 0, maybe = 0, failed = 0, done = 0, missing = 0;

  [[nodiscard]] std::size_t all() const { return reuse + run + maybe + failed + done + missing; }
};

struct DrawnNode {
  std::string id;      ///< a word: "n0"
  std::string title;   ///< a stage, a variant of it, or "inputs.base"
  std::string detail;  ///< its plugins, or the path of an input
  bool external = false;
  DrawnCounts counts;
};

struct DrawnEdge {
  std::size_t from = 0, to = 0;    ///< nodes
  std::vector<std::string> ports;  ///< "model", or "predictions → answers" where the names differ; gathered: "each ..."
  bool back = false;               ///< `to` stands before `from`: different variants of two stages feed each other
};

/// Nodes stand before what they feed, but for back edges.
struct Drawing {
  std::string title;
  std::vector<DrawnNode> nodes;
  std::vector<DrawnEdge> edges;
  DrawnCounts counts;
};

struct DrawOptions {
  bool variants = false;         ///< a node for each variant, not for each stage
  std::set<std::string> failed;  ///< labels of variants whose last attempt failed
};

[[nodiscard]] Drawing drawing_of(const ExpandedGraph& graph, const Plan& plan, const DrawOptions& options = {});

/// What stands in a project's database, without the experiment's file and plugins: a node a stage, and one for each
/// file from outside. `paths`: of these, by digest, as far as they are known.
[[nodiscard]] Drawing drawing_of(const StudyResults& study, const StudyRecipes& recipes,
                                 const std::map<std::string, std::string>& paths);

/// A list of nodes with what each reads.
[[nodiscard]] std::string draw_text(const Drawing& drawing);
/// For Graphviz.
[[nodiscard]] std::string draw_dot(const Drawing& drawing);
/// A flowchart as Markdown pages show it.
[[nodiscard]] std::string draw_mermaid(const Drawing& drawing);
/// Layers from top to bottom. States are told by colour and by mark and word.
[[nodiscard]] std::string draw_svg(const Drawing& drawing);

/// "▶ 6 run, ✓ 12 reuse"; empty for none.
[[nodiscard]] std::string counts_text(const DrawnCounts& counts);
/// The state that matters most: "failed", "run", "maybe", "reuse"; "input" for an external one.
[[nodiscard]] std::string_view state_of(const DrawnNode& node);

/// Fill and line, told apart by people who see colours differently.
struct StateColour {
  std::string_view state;
  std::string_view fill;
  std::string_view line;
};
[[nodiscard]] const StateColour& colour_of(std::string_view state);

}  // namespace lowbit::graph
