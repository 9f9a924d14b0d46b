#include "env/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "env/files.h"
#include "env/posix/descriptor.h"

namespace lowbit::env {

Result<std::optional<FileLock>> FileLock::try_take(const std::filesystem::path& file) {
  // One that is there is taken on a full disk, too.
  Descriptor descriptor(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!descriptor && errno == ENOENT) descriptor = Descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!descriptor) return file_error("locking", file, errno);
  while (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    return file_error("locking", file, errno);
  }
  return std::optional<FileLock>(FileLock(descriptor.release()));
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace lowbit::env
