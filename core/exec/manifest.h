// What a directory holds, byte for byte: the identity of every artifact and external input.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"

namespace lowbit::exec {

struct ManifestFile {
  std::string path;  ///< relative, '/' between parts; empty for a single file: its name is not part of what it is
  std::uint64_t bytes = 0;
  Digest digest;
};

struct Manifest {
  std::vector<ManifestFile> files;  ///< sorted by path

  [[nodiscard]] Json to_json() const;
  /// SHA-256 over the canonical JSON of the files: equal exactly when paths, sizes and bytes are.
  [[nodiscard]] Digest digest() const { return sha256(canonical(to_json())); }
  [[nodiscard]] std::uint64_t bytes() const;
};

/// Reads every byte below `path` (a directory or one file), several files at a time. Links inside an artifact are
/// followed only when `follow_links` (external inputs: Hugging Face caches are full of them).
[[nodiscard]] Result<Manifest> read_manifest(const std::filesystem::path& path, bool follow_links);

/// Changes whenever a file below `path` may have changed: over (relative path, device, inode, size, mtime, ctime).
/// Cheap: reads no file.
[[nodiscard]] Result<std::string> stat_fingerprint(const std::filesystem::path& path);

}  // namespace lowbit::exec
