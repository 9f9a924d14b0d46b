// What a host does first: put in order what the last one left behind, however it ended.
//   lock held                  the job still runs: adopt it
//   lock free, exit.json       it finished meanwhile: harvest it, as if it had ended under our eyes
//   lock free, no exit.json    it was lost: end what is left of its session, so that a retry is the only writer
//   moved but not recorded     record it
// Directories that no row knows are removed.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "exec/attempt_files.h"
#include "exec/project.h"
#include "exec/publish.h"

namespace lowbit::exec {

struct Adopted {
  store::Attempt row;
  AttemptPaths paths;
  JobRequest request;
  PublishContext context;
};

struct Recovery {
  std::vector<Adopted> adopted;
  std::vector<std::string> harvested;  ///< stage labels
  std::vector<std::string> failed;     ///< ended badly while no host watched
  std::vector<std::string> lost;
};

/// Ends what is left of an attempt whose shim died without a record, and writes the record in its place.
/// REQUIRES: the caller holds the attempt's lock, or knows that no shim can take it any more.
[[nodiscard]] Result<void> bury(const AttemptPaths& attempt, const std::string& nonce);

/// How an attempt ended whose lock is free. One without a whole record is buried.
[[nodiscard]] Result<ExitRecord> end_of(const AttemptPaths& attempt, const std::string& nonce);

[[nodiscard]] Result<Recovery> recover(WritableProject& project);

}  // namespace lowbit::exec
