// Processes by an identity that a reused pid cannot fake.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace lowbit::env {

/// A pid means nothing after a reboot or once it was reused; with the boot and the start time it is unique.
struct ProcessIdentity {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/<pid>/stat
  std::string boot_id;

  bool operator==(const ProcessIdentity&) const = default;
};

[[nodiscard]] std::string boot_id();
[[nodiscard]] std::string host_name();
/// Empty when there is no such process.
[[nodiscard]] std::optional<ProcessIdentity> identity_of(std::int64_t pid);
[[nodiscard]] ProcessIdentity own_identity();
[[nodiscard]] bool is_alive(const ProcessIdentity& process);

[[nodiscard]] Json to_json(const ProcessIdentity& process);
[[nodiscard]] std::optional<ProcessIdentity> process_identity(const Json& json);

/// SIGKILL to every process of `session` whose environment holds LOWBIT_ATTEMPT=`attempt`. Returns how many.
int kill_session(std::int64_t session, const std::string& attempt);

/// Of a process with one thread.
[[nodiscard]] std::vector<std::int64_t> children();
/// Children of a process, and theirs.
[[nodiscard]] std::vector<std::int64_t> descendants(std::int64_t of);

/// What a process holds of the machine's memory and the kernel cannot take back: not the pages of files that are
/// mapped. `quick` counts pages that processes share for each of them: an upper bound, at the cost of one small file.
/// Otherwise every page counts once over all who share it, at the cost of a walk over the process's pages. 0 when it
/// has ended.
[[nodiscard]] std::uint64_t held_memory(std::int64_t pid, bool quick);

/// Freed memory stays with this process. By default glibc gives large blocks back at once, and who allocates the same
/// tensors in every step pays for their page faults again and again.
void keep_freed_memory();

/// Opens /dev/null on each of stdin, stdout and stderr that is closed: the next file would get its number, and what is
/// printed would go there. Nothing can be read or written through them.
void keep_standard_descriptors();
/// Whether `descriptor` is a pipe or socket that nobody reads any more.
[[nodiscard]] bool reader_is_gone(int descriptor);

/// Model name of the processor, as the kernel gives it.
[[nodiscard]] std::string processor_model();
/// Processors this process may use.
[[nodiscard]] unsigned processors();
/// Physical memory in bytes; 0 when unknown.
[[nodiscard]] std::uint64_t memory_bytes();

}  // namespace lowbit::env
