// Files as the engine needs them: whole texts, durable writes, trees. Every operation that must survive a power cut
// goes through here, and passes a numbered fault point first (env/fault.h). Paths in messages are the caller's own.
// Thread-safe: no state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace lowbit::env {

/// LB6101 missing, LB6102 not allowed, LB6103 no room left, LB6104 anything else the system said (`error_number`).
[[nodiscard]] Diagnostic file_error(std::string_view doing, const std::filesystem::path& path, int error_number);

[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

/// Empty when there is no such file; an error when there is one and it cannot be read: the two are not the same.
[[nodiscard]] Result<std::optional<std::string>> read_file_if_there(const std::filesystem::path& path);

/// tmp, fsync, rename, fsync of the directory: after return the file has the new text for good; at any moment it
/// has the old text or the new one.
[[nodiscard]] Result<void> write_file_durably(const std::filesystem::path& path, std::string_view text);
/// The same for a file that a person names: a link stays a link, and what is no file (a pipe, /dev/stdout) is written
/// into.
[[nodiscard]] Result<void> write_named_file(const std::filesystem::path& path, std::string_view text);

/// One more line at the end of a file that other processes append to as well: what `line_for` returns, which is given
/// what stands in the file and is called while nobody else appends (flock). False: it returned nothing. After return
/// the line is there for good. One that cannot be written whole is taken back; the beginning of one that a killed
/// process left is ended first. REQUIRES: the line holds no newline.
[[nodiscard]] Result<bool> append_line_durably(
    const std::filesystem::path& path, const std::function<std::optional<std::string>(std::string_view)>& line_for);

/// Writes in place: for a file that nobody reads before a later step says that it is there.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& path, std::string_view text);

/// tmp, rename: when processes die, at any moment, the file has the old text or the new one. When the machine goes down
/// it may have neither: for what means nothing without processes that live.
[[nodiscard]] Result<void> replace_file(const std::filesystem::path& path, std::string_view text);

/// fsync of every file and directory below `directory`, itself included: links, pipes and sockets are entries of
/// theirs.
[[nodiscard]] Result<void> sync_tree(const std::filesystem::path& directory);

/// rename, then fsync of both parents. The target must not exist.
[[nodiscard]] Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// sync_tree() of each first path, then rename_durably() of each pair, on one file system: several at once share two
/// syncs of the whole file system. All are durable before the first is renamed.
[[nodiscard]] Result<void> rename_durably(
    const std::vector<std::pair<std::filesystem::path, std::filesystem::path>>& moves);

[[nodiscard]] Result<void> make_directories(const std::filesystem::path& directory);
/// Missing is fine.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);
/// Names in a directory as paths below it, sorted. A directory that is missing, or a file, holds nothing.
[[nodiscard]] Result<std::vector<std::filesystem::path>> list_directory(const std::filesystem::path& directory);
/// Bytes of the regular files below `path`, links not followed; what cannot be read counts nothing.
[[nodiscard]] std::uint64_t tree_bytes(const std::filesystem::path& path);
[[nodiscard]] bool exists(const std::filesystem::path& path);
[[nodiscard]] bool is_directory(const std::filesystem::path& path);
/// From the working directory on, `.` and `..` undone; an error when that is gone, or `path` is empty.
[[nodiscard]] Result<std::filesystem::path> absolute(const std::filesystem::path& path);

/// Bytes an ordinary user may still write on the file system of `path`; empty when unknown.
[[nodiscard]] std::optional<std::uint64_t> free_bytes(const std::filesystem::path& path);

}  // namespace lowbit::env
