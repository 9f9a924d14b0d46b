// How control lines (exec/control.h) travel: a Unix socket, `.lowbit/control.sock`, that the live host listens at. Both
// ends stand here. It is reached through the directory's descriptor, so that no path is too long for it.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "exec/control.h"
#include "exec/project.h"

namespace lowbit::exec {

class AsioLoop;

[[nodiscard]] std::filesystem::path control_socket_file(const ProjectPaths& project);

/// Answers on the loop's thread as long as it lives. REQUIRES: the caller holds the project's lease.
class ControlSocket {
 public:
  /// LB61xx where the file system has no sockets: a run can go on without one.
  [[nodiscard]] static Result<std::unique_ptr<ControlSocket>> listen(AsioLoop& loop, const ProjectPaths& project,
                                                                     Controlled& run);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  struct Listener;
  explicit ControlSocket(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}
  std::shared_ptr<Listener> listener_;
};

/// Asks the live host and waits for its answer. LB0030 when there is none; otherwise read_answer().
[[nodiscard]] Result<Json> ask_host(const ProjectPaths& project, const Json& request);

}  // namespace lowbit::exec
