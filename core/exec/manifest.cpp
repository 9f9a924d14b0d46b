#include "exec/manifest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <tbb/parallel_for.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <optional>

#include "env/files.h"
#include "env/posix/descriptor.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

Result<ManifestFile> hash_file(const fs::path& path, std::string relative) {
  const env::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return env::file_error("reading", path, errno);
  Sha256 hash;
  std::uint64_t bytes = 0;
  constexpr off_t kAtOnce = 1 << 20;
  struct stat info {};
  const bool known = ::fstat(file.get(), &info) == 0;
  std::vector<char> buffer(static_cast<std::size_t>(known ? std::clamp<off_t>(info.st_size, 1, kAtOnce) : kAtOnce));
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return env::file_error("reading", path, errno);
    if (n == 0) break;
    hash.update(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
    bytes += static_cast<std::uint64_t>(n);
  }
  return ManifestFile{.path = std::move(relative), .bytes = bytes, .digest = hash.finish()};
}

struct Entry {
  fs::path path;
  std::string relative;
};

/// Regular files below `path` sorted by relative path; `path` itself, with an empty name, when it is a file.
Result<std::vector<Entry>> list_files(const fs::path& path, bool follow_links) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (code || !fs::exists(status)) return env::file_error("reading", path, code ? code.value() : ENOENT);
  std::vector<Entry> entries;
  if (fs::is_regular_file(status)) {
    entries.push_back({path, ""});
    return entries;
  }
  const auto options = follow_links ? fs::directory_options::follow_directory_symlink : fs::directory_options::none;
  for (fs::recursive_directory_iterator it(path, options, code), end; !code && it != end; it.increment(code)) {
    if (!follow_links && it->is_symlink()) {
      return error("LB6105", it->path().string() + " is a symbolic link")
          .note("an artifact must hold its bytes itself: a link can change behind the result")
          .fix("write a copy or a hard link instead");
    }
    // Not status(), which asks the file system again for what the directory has said.
    const bool is_directory = it->is_directory(code);
    const bool is_file = !code && it->is_regular_file(code);
    if (code) return env::file_error("reading", it->path(), code.value());
    if (is_directory) continue;
    if (!is_file) {
      return error("LB6106", it->path().string() + " is neither a file nor a directory")
          .note("sockets, pipes and devices have no bytes to keep")
          .fix("remove it");
    }
    entries.push_back({it->path(), it->path().lexically_relative(path).generic_string()});
  }
  if (code) return env::file_error("reading", path, code.value());
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.relative < b.relative; });
  return entries;
}

}  // namespace

Json Manifest::to_json() const {
  Json list = Json::array();
  for (const ManifestFile& file : files) {
    list.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.digest.hex()}});
  }
  return list;
}

std::uint64_t Manifest::bytes() const {
  std::uint64_t sum = 0;
  for (const ManifestFile& file : files) sum += file.bytes;
  return sum;
}

Result<Manifest> read_manifest(const fs::path& path, bool follow_links) {
  LB_TRY_ASSIGN(const std::vector<Entry> entries, list_files(path, follow_links));
  Manifest manifest;
  manifest.files.resize(entries.size());
  std::mutex mutex;
  std::optional<Diagnostics> problem;
  const auto hash_one = [&](std::size_t i) {
    auto file = hash_file(entries[i].path, entries[i].relative);
    const std::lock_guard lock(mutex);
    if (file.ok()) {
      manifest.files[i] = *std::move(file);
    } else {
      problem = std::move(file).error();
    }
  };
  if (entries.size() == 1) {
    hash_one(0);  // nobody to be woken for it
  } else {
    tbb::parallel_for(std::size_t{0}, entries.size(), hash_one);
  }
  if (problem) return *std::move(problem);
  return manifest;
}

Result<std::string> stat_fingerprint(const fs::path& path) {
  LB_TRY_ASSIGN(const std::vector<Entry> entries, list_files(path, true));
  Sha256 hash;
  for (const Entry& entry : entries) {
    struct stat info {};
    if (::stat(entry.path.c_str(), &info) != 0) return env::file_error("reading", entry.path, errno);
    const Json line{entry.relative,
                    static_cast<std::uint64_t>(info.st_dev),
                    static_cast<std::uint64_t>(info.st_ino),
                    static_cast<std::int64_t>(info.st_size),
                    static_cast<std::int64_t>(info.st_mtim.tv_sec),
                    static_cast<std::int64_t>(info.st_mtim.tv_nsec),
                    static_cast<std::int64_t>(info.st_ctim.tv_sec),
                    static_cast<std::int64_t>(info.st_ctim.tv_nsec)};
    hash.update(canonical(line));
  }
  return hash.finish().hex();
}

}  // namespace lowbit::exec
