// An advisory lock that the kernel drops when its holder dies, however it dies: no stale locks, no unlock command.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "base/result.h"

namespace lowbit::env {

/// Exclusive flock on a file, held until destruction or process end. Not inherited by programs that are exec'ed.
class FileLock {
 public:
  /// Empty when another process holds it.
  [[nodiscard]] static Result<std::optional<FileLock>> try_take(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace lowbit::env
