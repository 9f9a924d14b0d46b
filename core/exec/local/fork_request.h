// What a host asks of a fork server (worker/fork_server.h), as one message: "NONCE\nATTEMPT-DIRECTORY", and beside it
// the socket that the attempt's shim listens at. Both ends of the wire stand here.
#pragma once

#include <optional>
#include <string>

#include "exec/attempt_files.h"

namespace lowbit::exec {

struct ForkRequest {
  std::string nonce;
  AttemptPaths attempt;
  int listener = -1;  ///< received: a descriptor of this process, close-on-exec, which the receiver closes
};

/// Never waits. False when the other end is closed or takes nothing more.
[[nodiscard]] bool send_fork_request(int socket, const ForkRequest& request);
/// Waits. Empty when the other end is closed.
[[nodiscard]] std::optional<ForkRequest> receive_fork_request(int socket);

}  // namespace lowbit::exec
