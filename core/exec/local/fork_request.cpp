#include "exec/local/fork_request.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "exec/resource_pool.h"

namespace lowbit::exec {
namespace {

/// A text and room for one descriptor, as sendmsg() and recvmsg() want them. Points into `text`.
class Message {
 public:
  Message(char* text, std::size_t size) : part_{text, size} {
    header_.msg_iov = &part_;
    header_.msg_iovlen = 1;
    header_.msg_control = control_.data();
    header_.msg_controllen = control_.size();
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  [[nodiscard]] msghdr* get() { return &header_; }

  void attach(int descriptor) {
    if (descriptor < 0) {
      header_.msg_controllen = 0;
      return;
    }
    cmsghdr* const control = CMSG_FIRSTHDR(&header_);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(control), &descriptor, sizeof(int));
  }

  [[nodiscard]] int attached() const {
    const cmsghdr* const control = CMSG_FIRSTHDR(&header_);
    int descriptor = -1;
    if (control != nullptr) std::memcpy(&descriptor, CMSG_DATA(control), sizeof(int));
    return descriptor;
  }

 private:
  iovec part_;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control_{};
  msghdr header_{};
};

constexpr int kNoWaiting = MSG_NOSIGNAL | MSG_DONTWAIT;

/// Takes what stands before the next line break away.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

template <class Number>
Number take_number(std::string_view& rest) {
  const std::string_view line = take_line(rest);
  Number number = 0;
  std::from_chars(line.data(), line.data() + line.size(), number);
  return number;
}

}  // namespace

ForkRequest fork_request(const JobRequest& request, const AttemptPaths& attempt, int listener) {
  return {.nonce = request.attempt,
          .attempt = attempt,
          .timeout = request.timeout,
          .memory_bytes = request.lease.is_object() ? grant_of(request.lease).memory_bytes : std::uint64_t{0},
          .socket = request.socket,
          .listener = listener};
}

bool send_fork_request(int socket, const ForkRequest& request) {
  std::string text = request.nonce + '\n' + std::to_string(request.timeout.count()) + '\n' +
                     std::to_string(request.memory_bytes) + '\n' + request.socket.string() + '\n' +
                     request.attempt.directory.string();
  Message message(text.data(), text.size());
  message.attach(request.listener);
  return ::sendmsg(socket, message.get(), kNoWaiting) == static_cast<ssize_t>(text.size());
}

bool send_nonce(int socket, const std::string& nonce) {
  return ::send(socket, nonce.data(), nonce.size(), kNoWaiting) == static_cast<ssize_t>(nonce.size());
}

std::optional<std::variant<ForkRequest, CancelRequest>> receive_request(int socket) {
  std::array<char, 8192> text{};
  Message message(text.data(), text.size());
  ssize_t n = 0;
  do n = ::recvmsg(socket, message.get(), MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n <= 0) return std::nullopt;
  std::string_view rest(text.data(), static_cast<std::size_t>(n));
  std::string nonce(take_line(rest));
  if (rest.empty()) return CancelRequest{std::move(nonce)};
  ForkRequest request{.nonce = std::move(nonce), .attempt = {}, .socket = {}};
  request.timeout = std::chrono::milliseconds(take_number<std::int64_t>(rest));
  request.memory_bytes = take_number<std::uint64_t>(rest);
  request.socket = take_line(rest);
  request.attempt.directory = rest;
  request.listener = message.attached();
  return request;
}

std::optional<std::string> receive_nonce(int socket) {
  std::array<char, 64> text{};
  ssize_t n = 0;
  do n = ::recv(socket, text.data(), text.size(), MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return std::string();
  if (n <= 0) return std::nullopt;
  return std::string(text.data(), static_cast<std::size_t>(n));
}

}  // namespace lowbit::exec
