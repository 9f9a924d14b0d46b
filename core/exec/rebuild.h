// The database made again from what lies beside it: the manifests of published results, the expansions, and what
// attempts left in work/. Lost are the history of runs and the texts of failures; nothing that a table shows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "exec/project.h"

namespace lowbit::exec {

struct Rebuilt {
  std::size_t results = 0;
  std::size_t attempts = 0;  ///< not published: the next run adopts, harvests or retries them
  std::vector<std::string> experiments;
  std::filesystem::path former;       ///< the database that was there; empty: none was
  std::vector<std::string> left_out;  ///< what could not be read, and why, one line each
};

/// Keeps the former database as results.db.before-rebuild-N. Damaged results are left out and set aside
/// (ProjectPaths::damaged()). A kill at any moment leaves the former database in its place, or no database (LB6013),
/// and the same call goes on from there. LB4101 while a host runs.
[[nodiscard]] Result<Rebuilt> rebuild(const ProjectPaths& project);

}  // namespace lowbit::exec
