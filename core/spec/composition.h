// One tree of several files: `extends` (a file that this one changes), `import` (parts that are added), and the profile
// that was chosen.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/source_span.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

/// Reads a file by the name that people see: beside the name of the file that names it.
using SourceLoader = std::function<Result<std::shared_ptr<const SourceText>>(const std::string& name)>;

/// The tree of `source` with what it extends and imports. Mappings are laid over each other key by key, `stages` by id;
/// other lists, bindings and values are replaced. Relative paths of inputs are made relative to the directory of
/// `source`. Problems (LB1043, LB1044, LB1031, LB10xx) go to `problems`; nothing is returned when `source` itself
/// cannot be read.
[[nodiscard]] std::optional<Node> compose(const std::shared_ptr<const SourceText>& source, const SourceLoader& load,
                                          Diagnostics& problems);

/// Lays the settings of the named profile over the stages of `root`; an unknown name is LB0040.
void apply_profile(Node& root, const std::string& name, Diagnostics& problems);

}  // namespace lowbit::spec
