#include "env/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "env/fault.h"
#include "env/posix/descriptor.h"
#include "env/posix/proc_text.h"

namespace lowbit::env {
namespace {

namespace fs = std::filesystem;

Result<void> sync_path(const fs::path& path, int flags) {
  if (const int fault = fault_point(); fault != 0) return file_error("writing", path, fault);
  const Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file) return file_error("opening", path, errno);
  if (::fsync(file.get()) != 0) return file_error("writing", path, errno);
  fault_passed();
  return {};
}

Result<void> sync_directory(const fs::path& path) {
  return sync_path(path.empty() ? fs::path(".") : path, O_RDONLY | O_DIRECTORY);
}

/// Everything on the file system that `path` lies on.
Result<void> sync_file_system(const fs::path& path) {
  if (const int fault = fault_point(); fault != 0) return file_error("writing", path, fault);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file) return file_error("opening", path, errno);
  if (::syncfs(file.get()) != 0) return file_error("writing", path, errno);
  fault_passed();
  return {};
}

/// Bytes of the whole machine that are on their way to its disks: what syncfs() may wait for.
std::uint64_t unwritten_bytes() {
  const auto text = read_file("/proc/meminfo");
  return text.ok() ? sum_of_kilobytes(*text, {"Dirty", "Writeback"}) : std::numeric_limits<std::uint64_t>::max();
}

/// Linux before 5.8 does not say of syncfs() that bytes could not be written.
bool syncfs_tells_errors() {
  static const bool tells = [] {
    utsname system{};
    if (::uname(&system) != 0) return false;
    const std::string_view release(static_cast<const char*>(system.release));  // "6.1.0-18-amd64"
    const std::size_t dot = std::min(release.find('.'), release.size());
    int major = 0;
    int minor = 0;
    std::from_chars(release.data(), release.data() + dot, major);
    std::from_chars(release.data() + std::min(dot + 1, release.size()), release.data() + release.size(), minor);
    return major > 5 || (major == 5 && minor >= 8);
  }();
  return tells;
}

Result<void> rename_entry(const fs::path& from, const fs::path& to, std::string_view doing = "moving to") {
  if (const int fault = fault_point(); fault != 0) return file_error("writing", to, fault);
  if (::rename(from.c_str(), to.c_str()) != 0) return file_error(doing, to, errno);
  fault_passed();
  return {};
}

Result<void> write_all(int descriptor, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("writing", path, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

enum class Durably { no, yes };

/// `shown`: the name that people know the file by.
Result<void> write_text(const fs::path& path, std::string_view text, Durably durably, const fs::path& shown) {
  if (const int fault = fault_point(); fault != 0) return file_error("writing", shown, fault);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) return file_error("writing", shown, errno);
  LB_TRY(write_all(file.get(), text, shown));
  if (durably == Durably::yes && ::fsync(file.get()) != 0) return file_error("writing", shown, errno);
  fault_passed();
  return {};
}

/// Through a file beside it.
Result<void> replace(const fs::path& path, std::string_view text, Durably durably) {
  fs::path temporary = path;
  temporary += ".tmp";
  auto written = write_text(temporary, text, durably, path);
  if (written.ok()) written = rename_entry(temporary, path, "writing");
  if (!written.ok()) ::unlink(temporary.c_str());
  return written;
}

}  // namespace

Diagnostic file_error(std::string_view doing, const fs::path& path, int error_number) {
  const std::string what = std::string(doing) + " " + path.string() + " failed";
  const std::string system = std::generic_category().message(error_number);
  switch (error_number) {
    case ENOTDIR:
      return error("LB6101", what)
          .note("a part of the path is a file and no directory")
          .fix("check the path, or move that file away");
    case ENOENT:
      return error("LB6101", what)
          .note("there is no such file or directory")
          .fix("check the path; was it moved or deleted?");
    case EACCES:
    case EPERM:
    case EROFS:
      return error("LB6102", what)
          .note(system)
          .fix("make it accessible to this user (chmod, chown), or use another directory");
    case ENOSPC:
    case EDQUOT:
      return error("LB6103", what)
          .note(system)
          .fix("free some space and run the same command again: finished results are kept");
    default: return error("LB6104", what).note(system).fix("repair the cause and run the same command again");
  }
}

Result<std::string> read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return file_error("reading", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return file_error("reading", path, errno);
  if (S_ISDIR(info.st_mode)) return file_error("reading", path, EISDIR);
  // Read where it stays: a buffer besides costs a job, all of whose pages are new, more than most files.
  constexpr std::size_t kOfUnknownSize = 4096;
  std::string text(info.st_size > 0 ? static_cast<std::size_t>(info.st_size) + 1 : kOfUnknownSize, '\0');
  for (std::size_t have = 0;;) {
    const ssize_t n = ::read(file.get(), text.data() + have, text.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("reading", path, errno);
    have += static_cast<std::size_t>(n);
    if (n == 0) {
      text.resize(have);
      return text;
    }
    if (have == text.size()) text.resize(2 * have);
  }
}

Result<std::optional<std::string>> read_file_if_there(const fs::path& path) {
  auto text = read_file(path);
  if (text.ok()) return std::optional(*std::move(text));
  if (text.error().front().code == "LB6101") return std::optional<std::string>();
  return std::move(text).error();
}

Result<void> write_file_durably(const fs::path& path, std::string_view text) {
  LB_TRY(replace(path, text, Durably::yes));
  return sync_directory(path.parent_path());
}

Result<void> write_named_file(const fs::path& path, std::string_view text) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return write_file_durably(path, text);
  if (!S_ISREG(info.st_mode)) return write_file(path, text);
  std::error_code code;
  const fs::path behind_links = fs::canonical(path, code);
  return write_file_durably(code ? path : behind_links, text);
}

Result<bool> append_line_durably(const fs::path& path,
                                 const std::function<std::optional<std::string>(std::string_view)>& line_for) {
  if (const int fault = fault_point(); fault != 0) return file_error("writing", path, fault);
  const bool is_new = !env::exists(path);
  const Descriptor file(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (!file) return file_error("writing", path, errno);
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return file_error("locking", path, errno);
  }
  LB_TRY_ASSIGN(const std::string before, read_file(path));
  const auto line = line_for(before);
  if (!line) return false;
  const std::string text = (before.empty() || before.back() == '\n' ? "" : "\n") + *line + "\n";
  auto written = write_all(file.get(), text, path);
  if (written.ok() && ::fdatasync(file.get()) != 0) written = file_error("writing", path, errno);
  if (!written.ok()) {
    if (::ftruncate(file.get(), static_cast<off_t>(before.size())) != 0) return file_error("writing", path, errno);
    return written.error();
  }
  fault_passed();
  if (is_new) LB_TRY(sync_directory(path.parent_path()));
  return true;
}

Result<void> write_file(const fs::path& path, std::string_view text) {
  return write_text(path, text, Durably::no, path);
}

Result<void> replace_file(const fs::path& path, std::string_view text) { return replace(path, text, Durably::no); }

Result<void> sync_tree(const fs::path& directory) {
  std::error_code code;
  for (fs::recursive_directory_iterator it(directory, code), end; !code && it != end; it.increment(code)) {
    if (it->is_symlink(code)) continue;
    if (!code && it->is_directory(code)) LB_TRY(sync_directory(it->path()));
    if (!code && it->is_regular_file(code)) LB_TRY(sync_path(it->path(), O_RDONLY));
    if (code) break;
  }
  if (code) return file_error("writing", directory, code.value());
  return sync_directory(directory);
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
  LB_TRY(rename_entry(from, to));
  LB_TRY(sync_directory(to.parent_path()));
  return sync_directory(from.parent_path());
}

Result<void> rename_durably(const std::vector<std::pair<fs::path, fs::path>>& moves) {
  // One alone waits for nobody else's bytes, and several do not where someone is writing a model.
  constexpr std::size_t kWorthASystem = 2;
  constexpr std::uint64_t kSoonWritten = std::uint64_t{64} << 20U;
  if (moves.size() < kWorthASystem || !syncfs_tells_errors() || unwritten_bytes() > kSoonWritten) {
    for (const auto& [from, to] : moves) LB_TRY(sync_tree(from));
    for (const auto& [from, to] : moves) LB_TRY(rename_durably(from, to));
    return {};
  }
  LB_TRY(sync_file_system(moves.front().first));
  for (const auto& [from, to] : moves) LB_TRY(rename_entry(from, to));
  return sync_file_system(moves.front().second);
}

Result<void> make_directories(const fs::path& directory) {
  if (const int fault = fault_point(); fault != 0) return file_error("creating", directory, fault);
  std::error_code code;
  fs::create_directories(directory, code);
  if (code) return file_error("creating", directory, code.value());
  return {};
}

Result<void> remove_tree(const fs::path& path) {
  std::error_code code;
  fs::remove_all(path, code);
  if (code) return file_error("removing", path, code.value());
  return {};
}

Result<std::vector<fs::path>> list_directory(const fs::path& directory) {
  std::error_code code;
  std::vector<fs::path> entries;
  fs::directory_iterator it(directory, code);
  if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory) return entries;
  for (const fs::directory_iterator end; !code && it != end; it.increment(code)) entries.push_back(it->path());
  if (code) return file_error("reading", directory, code.value());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::uint64_t tree_bytes(const fs::path& path) {
  std::error_code code;
  const auto size_of = [](const fs::path& file) -> std::uint64_t {
    std::error_code failed;
    if (!fs::is_regular_file(fs::symlink_status(file, failed)) || failed) return 0;
    const std::uintmax_t size = fs::file_size(file, failed);
    return failed ? 0 : size;
  };
  std::uint64_t sum = size_of(path);
  for (fs::recursive_directory_iterator it(path, code), end; !code && it != end; it.increment(code)) {
    sum += size_of(it->path());
  }
  return sum;
}

bool exists(const fs::path& path) {
  std::error_code code;
  return fs::exists(path, code);
}

bool is_directory(const fs::path& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

Result<fs::path> absolute(const fs::path& path) {
  std::error_code code;
  const fs::path found = fs::absolute(path, code);
  if (code) return file_error("finding", path, code.value());
  return found.lexically_normal();
}

std::optional<std::uint64_t> free_bytes(const fs::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace lowbit::env
