// Every published byte against its manifest, and every manifest against the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "exec/project.h"
#include "store/store.h"

namespace lowbit::exec {

struct DamagedResult {
  std::int64_t id = 0;
  std::string label;
  std::filesystem::path directory;    ///< absolute
  std::vector<std::string> problems;  ///< "out/model/config.json: other bytes (missing, not published)", one line each
  bool current = true;                ///< false: replaced by another result, in no table
};

struct Verification {
  std::size_t results = 0;
  std::uint64_t bytes = 0;             ///< that were read
  std::vector<DamagedResult> damaged;  ///< in the order of the results
  /// Directories that no row knows: of a result that was published this moment, or a leftover for the next run.
  std::vector<std::filesystem::path> unknown;
};

/// Reads everything, several results at a time; changes nothing. LB61xx when a disk fails to answer.
[[nodiscard]] Result<Verification> verify(const ProjectPaths& project, const store::Store& store);

/// Sets the damaged results aside and forgets them: the next run makes them again.
[[nodiscard]] Result<void> repair(WritableProject& project, const std::vector<DamagedResult>& damaged);

}  // namespace lowbit::exec
