// A fresh attempt: its row, its directory, and everything the job will read there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "exec/attempt_files.h"
#include "exec/project.h"
#include "exec/publish.h"
#include "exec/resource_pool.h"
#include "graph/expanded_graph.h"
#include "graph/keys.h"
#include "graph/plan.h"

namespace lowbit::exec {

/// Where the files of the plugins and of the external inputs are.
struct RunFiles {
  std::function<std::filesystem::path(const std::string& stage_id)> library_of;
  graph::PluginDigests plugins;
  std::filesystem::path input_root;  ///< external paths are relative to it
  graph::ExternalDigests externals;
};

/// Which variant to run, with its inputs known.
struct AttemptOrder {
  const graph::Variant& variant;
  const JsonText& own_record;
  graph::Key content;
  Digest provenance_key;
  graph::ArtifactOf artifact_of;
  std::uint32_t threads = 1;
  bool brief = false;
  std::int64_t run = 0;
  std::optional<Digest> planned_key = {};     ///< the variant's provenance key in the experiment's expansion, if known
  Grant lease = {};                           ///< what of the machine the job has
  std::filesystem::path used_directory = {};  ///< work/KEY that an attempt left, empty but for `scratch`: used again
};

struct NewAttempt {
  JobRequest request;
  AttemptPaths paths;
  PublishContext context;
  bool checkpoint_refused = false;  ///< there is one, from another numeric environment
  std::string carry_gap;            ///< what of the attempt resumed from may be missing, and why; empty: nothing
};

/// Row first, then files: a directory without a row is swept away, a row without a directory is a lost attempt.
[[nodiscard]] Result<NewAttempt> new_attempt(
    WritableProject& project, const RunFiles& files, const AttemptOrder& order,
    const std::function<Result<std::filesystem::path>(const std::string& nonce)>& socket_path);

}  // namespace lowbit::exec
