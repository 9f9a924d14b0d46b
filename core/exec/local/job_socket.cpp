#include "exec/local/job_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "env/files.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

sockaddr_un address_of(const fs::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = socket.string();
  std::memcpy(address.sun_path, text.data(), std::min(text.size(), sizeof address.sun_path - 1));
  return address;
}

}  // namespace

fs::path socket_path(const std::string& nonce) {
  static const fs::path directory = [] {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    return runtime != nullptr && *runtime != '\0' && std::strlen(runtime) < 64
               ? fs::path(runtime) / "lowbit"
               : fs::path((::access("/dev/shm", W_OK) == 0 ? "/dev/shm/lowbit-" : "/tmp/lowbit-") +
                          std::to_string(::getuid()));
  }();
  return directory / (nonce + ".sock");
}

Result<env::Descriptor> listen_at(const fs::path& socket) {
  LB_TRY(env::make_directories(socket.parent_path()));
  if (::chmod(socket.parent_path().c_str(), 0700) != 0) {
    return env::file_error("restricting", socket.parent_path(), errno);
  }
  env::Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(socket);
  if (!listener || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 8) != 0) {
    return env::file_error("listening at", socket, errno);
  }
  return listener;
}

}  // namespace lowbit::exec
