// Names of variants as names of files. Pure.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::interchange {

/// What lm-evaluation-harness makes of the name of a model: runs of " < > : / | \ ? * [ ] become __. Long ones are cut
/// and end in a digest, so that different names stay different.
[[nodiscard]] std::string sanitized_model_name(std::string_view name);

/// One part of a path: letters, digits and . _ - = , + @ stay, everything else becomes _, and a digest behind it keeps
/// different names different.
[[nodiscard]] std::string path_part(std::string_view name);

}  // namespace lowbit::interchange
