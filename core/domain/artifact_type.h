// The artifact types of docs/artifacts.md by name. What the files of each look like is exec/artifact_check.h's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lowbit {

struct ArtifactType {
  std::string_view name;  ///< "predictions/1"
  std::string_view doc;   ///< one sentence
};

/// In the order of docs/artifacts.md.
[[nodiscard]] const std::vector<ArtifactType>& artifact_types();

/// Null when there is no such type.
[[nodiscard]] const ArtifactType* find_artifact_type(std::string_view name);

}  // namespace lowbit
