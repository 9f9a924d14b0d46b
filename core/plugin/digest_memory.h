// Digests of plugin files from one start of the program to the next: reading all of them takes longer than everything
// else that a short command does. A digest is believed while the file's identity, size and times are what they were.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "base/digest.h"
#include "base/result.h"

namespace lowbit::plugin {

/// Not thread-safe.
class DigestMemory {
 public:
  /// What `file` holds; nothing when it is missing or damaged.
  [[nodiscard]] static DigestMemory load(std::filesystem::path file);

  /// As digest_of_file(). A file that was touched less than 2 s before `now` is read and not remembered: it may change
  /// again within the resolution of its times.
  [[nodiscard]] Result<Digest> digest_of(const std::filesystem::path& library,
                                         std::chrono::system_clock::time_point now);

  /// Writes what is new, if anything is. A memory that cannot be written is no problem: files are read again then.
  void save() const;

 private:
  std::filesystem::path file_;
  std::map<std::string, std::pair<std::string, Digest>> known_;  ///< by path: what its stat said, and its digest
  bool changed_ = false;
};

/// $XDG_CACHE_HOME/lowbit/plugin-digests.json, or below ~/.cache; empty when there is no home.
[[nodiscard]] std::filesystem::path digest_memory_file();

}  // namespace lowbit::plugin
