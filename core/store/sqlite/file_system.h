// Whether SQLite's write-ahead log may be used where a database lies: its shared memory does not reach other machines.
#pragma once

#include <cstdint>
#include <filesystem>

namespace lowbit::store {

/// `statfs_type`: f_type of statfs(2). True for file systems that are shared between machines, and for FUSE, behind
/// which one may hide (sshfs).
[[nodiscard]] bool is_network_file_system(std::uint32_t statfs_type);

/// Of the directory that holds `file`; false when the system cannot say.
[[nodiscard]] bool on_network_file_system(const std::filesystem::path& file);

}  // namespace lowbit::store
