#include "exec/local/control_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "env/files.h"
#include "env/posix/descriptor.h"
#include "exec/local/asio_loop.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;
using boost::asio::local::stream_protocol;

constexpr const char* kControlSocket = "control.sock";
constexpr std::size_t kMaxControlLine = 1U << 20U;
constexpr timeval kControlPatience{.tv_sec = 20, .tv_usec = 0};

struct ControlAddress {
  env::Descriptor directory;  ///< the address is good as long as this is open
  sockaddr_un address{};
};

// A socket's path holds 107 bytes, a project's may be longer.
Result<ControlAddress> address_in(const fs::path& directory) {
  ControlAddress result;
  result.directory = env::Descriptor(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!result.directory) return env::file_error("opening", directory, errno);
  result.address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(result.directory.get()) + "/" + kControlSocket;
  std::memcpy(result.address.sun_path, path.c_str(), path.size() + 1);
  return result;
}

Result<env::Descriptor> listen_in(const ProjectPaths& project) {
  const fs::path file = control_socket_file(project);
  LB_TRY_ASSIGN(const ControlAddress at, address_in(project.state()));
  ::unlink(file.c_str());  // of a host that was killed: the lease says that there is no other
  env::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || ::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at.address), sizeof at.address) != 0 ||
      ::listen(socket.get(), 8) != 0) {
    return env::file_error("listening at", file, errno);
  }
  return socket;
}

/// One question and its answer.
struct ControlSession : std::enable_shared_from_this<ControlSession> {
  ControlSession(stream_protocol::socket accepted, Controlled& controlled)
      : socket(std::move(accepted)), run(controlled), buffer(kMaxControlLine) {}

  void start() {
    boost::asio::async_read_until(socket, buffer, '\n',
                                  [self = shared_from_this()](const boost::system::error_code& code, std::size_t size) {
                                    if (!code) self->reply(size);
                                  });
  }

  void reply(std::size_t size) {
    const std::string line(boost::asio::buffers_begin(buffer.data()),
                           boost::asio::buffers_begin(buffer.data()) + static_cast<std::ptrdiff_t>(size) - 1);
    text = answer_control(run, line) + "\n";
    // What was asked may end the loop: as much as the kernel takes goes out before it can.
    boost::system::error_code code;
    socket.non_blocking(true, code);
    const std::size_t sent = socket.write_some(boost::asio::buffer(text), code);
    if (sent == text.size()) return;
    boost::asio::async_write(socket, boost::asio::buffer(text) + sent,
                             [self = shared_from_this()](const boost::system::error_code&, std::size_t) {});
  }

  stream_protocol::socket socket;
  Controlled& run;
  boost::asio::streambuf buffer;
  std::string text;
};

}  // namespace

fs::path control_socket_file(const ProjectPaths& project) { return project.state() / kControlSocket; }

struct ControlSocket::Listener : std::enable_shared_from_this<ControlSocket::Listener> {
  Listener(boost::asio::io_context& context, int descriptor, Controlled& controlled, fs::path path)
      : acceptor(context, stream_protocol(), descriptor), run(controlled), file(std::move(path)) {}

  void accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const boost::system::error_code& code, stream_protocol::socket socket) {
          if (code == boost::asio::error::operation_aborted) return;
          if (!code) {
            ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);  // no job inherits it: they start on this thread
            std::make_shared<ControlSession>(std::move(socket), self->run)->start();
          }
          self->accept();
        });
  }

  stream_protocol::acceptor acceptor;
  Controlled& run;
  fs::path file;
};

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen(AsioLoop& loop, const ProjectPaths& project,
                                                             Controlled& run) {
  LB_TRY_ASSIGN(env::Descriptor descriptor, listen_in(project));
  auto listener = std::make_shared<Listener>(loop.context(), descriptor.release(), run, control_socket_file(project));
  listener->accept();
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(listener)));
}

ControlSocket::~ControlSocket() {
  boost::system::error_code code;
  listener_->acceptor.close(code);
  ::unlink(listener_->file.c_str());
}

Result<Json> ask_host(const ProjectPaths& project, const Json& request) {
  const Diagnostic nobody = error("LB0030", "no lowbit is running on " + project.root.string())
                                .fix("`lowbit run FILE` starts one; `lowbit status` shows what the last one left");
  if (!env::exists(control_socket_file(project))) return nobody;
  LB_TRY_ASSIGN(const ControlAddress at, address_in(project.state()));
  const env::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return env::file_error("connecting to", control_socket_file(project), errno);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kControlPatience, sizeof kControlPatience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kControlPatience, sizeof kControlPatience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at.address), sizeof at.address) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) return nobody;  // it was killed, or runs on another machine
    return env::file_error("connecting to", control_socket_file(project), errno);
  }
  const std::string line = canonical(request) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::send(socket.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return read_answer({});
    sent += static_cast<std::size_t>(n);
  }
  std::string answer;
  std::array<char, 65536> buffer{};
  while (answer.empty() || answer.back() != '\n') {
    const ssize_t n = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (n <= 0) break;
    answer.append(buffer.data(), static_cast<std::size_t>(n));
  }
  if (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return read_answer(answer);
}

}  // namespace lowbit::exec
