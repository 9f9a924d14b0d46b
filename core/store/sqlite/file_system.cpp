#include "store/sqlite/file_system.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace lowbit::store {
namespace {

// From statfs(2), linux/magic.h and the file systems' own headers.
constexpr std::array<std::uint32_t, 17> kShared{
    0x00006969,  // NFS
    0x0000517B,  // SMB
    0xFE534D42,  // SMB2
    0xFF534D42,  // CIFS
    0x65735546,  // FUSE: sshfs and others
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x00C36400,  // Ceph
    0x5346414F,  // AFS
    0x6B414653,  // AFS, the kernel's own
    0x01021997,  // 9P
    0x73757245,  // Coda
    0x19830326,  // BeeGFS
    0xAAD7AAEA,  // PanFS
    0x20030528,  // OrangeFS
    0x01161970,  // GFS2
    0x7461636F,  // OCFS2
};

}  // namespace

bool is_network_file_system(std::uint32_t statfs_type) {
  return std::find(kShared.begin(), kShared.end(), statfs_type) != kShared.end();
}

bool on_network_file_system(const std::filesystem::path& file) {
  const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  struct statfs info {};
  return ::statfs(directory.c_str(), &info) == 0 && is_network_file_system(static_cast<std::uint32_t>(info.f_type));
}

}  // namespace lowbit::store
