// Where a command writes a directory for other tools: nothing is overwritten.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace lowbit::exec {

/// The directory that `written` names, links followed and without a slash at its end, when it does not exist yet or is
/// empty; else, and for the current directory, LB0015. Its parent is made.
[[nodiscard]] Result<std::filesystem::path> new_directory(const std::filesystem::path& written);

}  // namespace lowbit::exec
