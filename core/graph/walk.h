// Which variants a bound experiment has. Depth first over (stage, point), each visited once.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/problems.h"
#include "graph/bind_stages.h"
#include "graph/expanded_graph.h"
#include "graph/matrix.h"

namespace lowbit::graph {

/// What one member of an input is: an output of a draft, or an external input.
struct DraftMember {
  AxisSet at_axes = 0;       ///< gathered axes
  Point at = 0;              ///< projected on them
  std::size_t producer = 0;  ///< number of a draft; meaningless when `external`
  const std::string* port = nullptr;
  const External* external = nullptr;

  bool operator==(const DraftMember& other) const {
    return at_axes == other.at_axes && at == other.at && external == other.external &&
           (external != nullptr || (producer == other.producer && *port == *other.port));
  }
};

struct DraftInput {
  const StageInput* input = nullptr;
  std::vector<DraftMember> members;
  std::set<Point> groups;  ///< gathered: the groups of points whose members these are
};

/// A variant in the order of discovery, not yet in the order of the graph.
struct Draft {
  std::size_t stage = 0;
  const StagePlugin* plugin = nullptr;
  AxisSet axes = 0;
  Point first_point = 0;  ///< the least that projects on it
  Json params;
  std::vector<DraftInput> inputs;
  std::map<std::size_t, std::vector<std::size_t>> keepers = {};  ///< by producer: drafts whose gates hold it
};

struct Walk {
  std::vector<Draft> drafts;
  std::vector<std::unordered_map<Point, External>> externals;  ///< by input, by projection; owns what members name
};

/// REQUIRES: `spec`, `bound` and `matrix` outlive the result.
[[nodiscard]] Walk walk(const ExperimentSpec& spec, const BoundExperiment& bound, const Matrix& matrix,
                        Problems& problems);

/// LB3005 for a loop of labels, each of which needs the next and the last the first.
[[nodiscard]] Diagnostic loop_problem(const std::vector<std::string>& labels, const std::vector<std::string>& stages,
                                      const SourceSpan& span);

}  // namespace lowbit::graph
