// Files of artifacts on their way from one directory to another.
#pragma once

#include <filesystem>
#include <functional>

namespace lowbit::lm {

/// Throws Error{resource} when the disk refuses.
void copy_into(const std::filesystem::path& from, const std::filesystem::path& to);

/// The same for large files. `tick`: called every few megabytes, may throw to cancel.
void copy_in_parts(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::function<void()>& tick);

/// For files that nobody changes: two names for one file, or a copy where the file system has no links.
void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace lowbit::lm
