#include "env/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/whole_number.h"
#include "env/files.h"
#include "env/posix/proc_text.h"

namespace lowbit::env {
namespace {

struct Stat {
  std::int64_t session = 0;
  std::uint64_t start_ticks = 0;
};

// /proc/<pid>/stat: the name in parentheses may hold anything, so fields are counted after the last ')'.
std::optional<Stat> read_stat(std::int64_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text.ok()) return std::nullopt;
  const auto close = text->rfind(')');
  if (close == std::string::npos) return std::nullopt;
  std::vector<std::string_view> fields;  // fields[0] is field 3, the state
  std::string_view rest = std::string_view(*text).substr(close + 1);
  while (!rest.empty()) {
    const auto begin = rest.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const auto end = std::min(rest.find_first_of(" \n"), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (fields.size() < 20) return std::nullopt;
  Stat stat;
  std::from_chars(fields[3].data(), fields[3].data() + fields[3].size(), stat.session);
  std::from_chars(fields[19].data(), fields[19].data() + fields[19].size(), stat.start_ticks);
  return stat;
}

std::vector<std::int64_t> pids_in(const std::filesystem::path& file) {
  std::vector<std::int64_t> found;
  const auto text = read_file(file);
  std::string_view rest = text.ok() ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    std::int64_t pid = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), pid);
    if (error == std::errc() && pid > 0) found.push_back(pid);
  }
  return found;
}

void add_descendants(std::int64_t of, std::vector<std::int64_t>& found) {
  std::error_code code;
  for (std::filesystem::directory_iterator task("/proc/" + std::to_string(of) + "/task", code), end;
       !code && task != end; task.increment(code)) {
    for (const std::int64_t child : pids_in(task->path() / "children")) {
      found.push_back(child);
      add_descendants(child, found);
    }
  }
}

}  // namespace

std::vector<std::int64_t> children() { return pids_in("/proc/thread-self/children"); }

std::vector<std::int64_t> descendants(std::int64_t of) {
  std::vector<std::int64_t> found;
  add_descendants(of, found);
  return found;
}

std::uint64_t held_memory(std::int64_t pid, bool quick) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/";
  const auto text = read_file(directory + (quick ? "status" : "smaps_rollup"));
  if (!text.ok()) return 0;
  if (quick) return sum_of_kilobytes(*text, {"RssAnon", "RssShmem"});
  return sum_of_kilobytes(*text, {"Pss_Anon", "Pss_Shmem"});
}

std::string boot_id() {
  static const std::string known = [] {
    auto text = read_file("/proc/sys/kernel/random/boot_id");
    if (!text.ok()) return std::string("unknown");
    std::string id = *std::move(text);
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
  }();
  return known;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::optional<ProcessIdentity> identity_of(std::int64_t pid) {
  const auto stat = read_stat(pid);
  if (!stat) return std::nullopt;
  return ProcessIdentity{.pid = pid, .start_ticks = stat->start_ticks, .boot_id = boot_id()};
}

ProcessIdentity own_identity() {
  return identity_of(::getpid()).value_or(ProcessIdentity{.pid = ::getpid(), .start_ticks = 0, .boot_id = boot_id()});
}

bool is_alive(const ProcessIdentity& process) { return identity_of(process.pid) == process; }

Json to_json(const ProcessIdentity& process) {
  return {{"pid", process.pid}, {"start_ticks", process.start_ticks}, {"boot_id", process.boot_id}};
}

std::optional<ProcessIdentity> process_identity(const Json& json) {
  try {
    return ProcessIdentity{.pid = whole_number<std::int64_t>(json.at("pid")),
                           .start_ticks = whole_number<std::uint64_t>(json.at("start_ticks")),
                           .boot_id = json.at("boot_id")};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

int kill_session(std::int64_t session, const std::string& attempt) {
  const std::string wanted = "LOWBIT_ATTEMPT=" + attempt;
  int killed = 0;
  std::error_code code;
  for (std::filesystem::directory_iterator it("/proc", code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    std::int64_t pid = 0;
    const auto [stop, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (problem != std::errc() || stop != name.data() + name.size()) continue;
    const auto stat = read_stat(pid);
    if (!stat || stat->session != session) continue;
    const auto environment = read_file(it->path() / "environ");
    if (!environment.ok()) continue;
    std::string_view rest = *environment;
    bool ours = false;
    while (!rest.empty() && !ours) {
      const auto end_of_entry = std::min(rest.find('\0'), rest.size());
      ours = rest.substr(0, end_of_entry) == wanted;
      rest.remove_prefix(std::min(end_of_entry + 1, rest.size()));
    }
    if (ours && ::kill(static_cast<pid_t>(pid), SIGKILL) == 0) ++killed;
  }
  return killed;
}

void keep_freed_memory() {
  constexpr int kBlock = 1 << 28;  // bytes; larger ones come and go
  ::mallopt(M_MMAP_THRESHOLD, kBlock);
  ::mallopt(M_TRIM_THRESHOLD, kBlock);
}

void keep_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one. Writing to it fails: what was to be printed is not said to be out.
    static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

bool reader_is_gone(int descriptor) {
  pollfd state{.fd = descriptor, .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & POLLERR) != 0;
}

std::string processor_model() {
  static const std::string known = [] {
    const auto text = read_file("/proc/cpuinfo");
    if (!text.ok()) return std::string("unknown");
    const auto key = text->find("model name");
    const auto colon = text->find(':', key);
    if (key == std::string::npos || colon == std::string::npos) return std::string("unknown");
    const auto end = text->find('\n', colon);
    return text->substr(colon + 2, end - colon - 2);
  }();
  return known;
}

unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
}

std::uint64_t memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGE_SIZE);
  return pages < 0 || size < 0 ? 0 : static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size);
}

}  // namespace lowbit::env
