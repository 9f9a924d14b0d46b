// What the outside inputs of a graph are, byte for byte.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/expanded_graph.h"
#include "graph/plan.h"
#include "store/store.h"

namespace lowbit::exec {

struct Externals {
  graph::ExternalDigests digests;                 ///< by path as written in the graph
  std::vector<store::ExternalDigest> remembered;  ///< newly hashed: to be kept by a writer
};

/// Hashes every external input of `graph` below `root`; a file whose stat has not changed since `store` remembered
/// it is not read again. A path that does not exist is the user's mistake (LB2101), with its place in the file.
[[nodiscard]] Result<Externals> digest_externals(const graph::ExpandedGraph& graph, const std::filesystem::path& root,
                                                 const store::Store& store);

}  // namespace lowbit::exec
