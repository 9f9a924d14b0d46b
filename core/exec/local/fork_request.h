// What a host and a fork server (worker/fork_server.h) tell one another, a message each. Both ends of the wire stand
// here.
//   host → server   "NONCE\nTIMEOUT_MS\nMEMORY_BYTES\nSOCKET\nATTEMPT-DIRECTORY": start this job. With a descriptor
//                   beside it, the socket that its shim listens at, the job gets a shim of its own.
//                   "NONCE": cancel this job, which has no shim of its own
//   server → host   "NONCE": this job, which had no shim of its own, has ended
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "exec/attempt_files.h"

namespace lowbit::exec {

/// In the environment that a server is started with, and in that of no job: the dynamic linker looks all symbols of all
/// libraries up at once, which every job would do for itself otherwise.
inline constexpr const char* kBindNow = "LD_BIND_NOW=1";

struct ForkRequest {
  std::string nonce;
  AttemptPaths attempt;
  std::chrono::milliseconds timeout{0};  ///< 0: none
  std::uint64_t memory_bytes = 0;        ///< that all processes of the job may hold together; 0: not limited
  std::filesystem::path socket;          ///< where a host that adopts the job finds who watches it
  int listener = -1;  ///< received: a descriptor of this process, close-on-exec, which the receiver closes
};
struct CancelRequest {
  std::string nonce;
};

[[nodiscard]] ForkRequest fork_request(const JobRequest& request, const AttemptPaths& attempt, int listener);

/// These never wait. False when the other end is closed or takes nothing more.
[[nodiscard]] bool send_fork_request(int socket, const ForkRequest& request);
[[nodiscard]] bool send_nonce(int socket, const std::string& nonce);

/// Waits. Empty when the other end is closed.
[[nodiscard]] std::optional<std::variant<ForkRequest, CancelRequest>> receive_request(int socket);
/// Never waits: a nonce, "" when there is nothing to hear now, none when the other end is closed.
[[nodiscard]] std::optional<std::string> receive_nonce(int socket);

}  // namespace lowbit::exec
