// Whether the files of an artifact have the form that docs/artifacts.md fixes for its type. Run before publishing, so
// that no stage ever reads a malformed artifact of another. Cheap: JSON records are read line by line (a second for
// 50,000 predictions), of safetensors files only the headers and token ids. Thread-safe: no state.
//
//   LB_TRY_ASSIGN(CheckedArtifact artifact, check_artifact("predictions/1", attempt.output("predictions")));
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"
#include "domain/result.h"
#include "store/store.h"

namespace lowbit::exec {

struct CheckedArtifact {
  ArtifactRef ref;  ///< type only; the digest is the manifest's (exec/manifest.h)
  std::uint64_t bytes = 0;
  std::vector<Digest> bases;          ///< adapter/1: the model it is applied to
  std::vector<store::ItemRow> items;  ///< predictions/1, verdicts/1, grades/1: one row per line, in file order
  Json summary;                       ///< a few counts for people; null for `file`
};

/// `path`: the artifact's directory; `file` and text/1 may also be a single file.
/// LB5101: no such type. LB5102: one diagnostic for each of the first five problems, naming file, line and field, and
/// one that counts the rest. `bytes`: of all its files, where they have been counted.
[[nodiscard]] Result<CheckedArtifact> check_artifact(const std::string& type, const std::filesystem::path& path,
                                                     std::optional<std::uint64_t> bytes = std::nullopt);

}  // namespace lowbit::exec
