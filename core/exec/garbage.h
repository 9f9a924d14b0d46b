// What no experiment needs any more. Needed are the current results that the last expansion of an experiment leads to,
// what their artifacts are based on (adapter -> model), and what running attempts read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "exec/project.h"
#include "store/store.h"

namespace lowbit::exec {

struct Garbage {
  enum class Kind { result, attempt, damaged, database };
  Kind kind = Kind::result;
  std::string label;           ///< of the stage; a file name for a database
  std::filesystem::path path;  ///< absolute
  std::uint64_t bytes = 0;
  double seconds = 0;       ///< that making it took; results only
  std::int64_t result = 0;  ///< id, results only
};

/// An experiment whose file is not there any more. Its results stay: they may be all that is left of it.
struct GoneExperiment {
  std::string name;
  std::string file;         ///< as it was run, relative to the project
  std::size_t results = 0;  ///< that nothing else needs
  std::uint64_t bytes = 0;  ///< of those
  double seconds = 0;       ///< that making them took
};

struct GarbageList {
  std::vector<Garbage> items;  ///< by kind, largest first
  std::size_t kept = 0;        ///< results
  std::uint64_t kept_bytes = 0;
  std::vector<GoneExperiment> gone;    ///< by name, without those that are forgotten
  std::vector<std::string> forgotten;  ///< experiments that count no more
};

[[nodiscard]] std::string_view name_of(Garbage::Kind kind);

/// Reads only. An attempt is kept while its stage may go on from its checkpoint. `forget`: experiments that are taken
/// for gone with all that only they need. LB0041: there is none of that name.
[[nodiscard]] Result<GarbageList> find_garbage(const ProjectPaths& project, const store::Store& store,
                                               const std::vector<std::string>& forget = {});

/// First the rows, then the files: a kill in between leaves files that the next run removes.
[[nodiscard]] Result<void> remove_garbage(WritableProject& project, const GarbageList& garbage);

}  // namespace lowbit::exec
