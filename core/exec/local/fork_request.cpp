#include "exec/local/fork_request.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

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

 private:
  iovec part_;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control_{};
  msghdr header_{};
};

}  // namespace

bool send_fork_request(int socket, const ForkRequest& request) {
  std::string text = request.nonce + '\n' + request.attempt.directory.string();
  Message message(text.data(), text.size());
  cmsghdr* const control = CMSG_FIRSTHDR(message.get());
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(control), &request.listener, sizeof(int));
  return ::sendmsg(socket, message.get(), MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(text.size());
}

std::optional<ForkRequest> receive_fork_request(int socket) {
  std::array<char, 8192> text{};
  Message message(text.data(), text.size());
  ssize_t n = 0;
  do n = ::recvmsg(socket, message.get(), MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  const cmsghdr* const control = CMSG_FIRSTHDR(message.get());
  if (n <= 0 || control == nullptr) return std::nullopt;
  const std::string_view words(text.data(), static_cast<std::size_t>(n));
  const std::size_t end = words.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  ForkRequest request{
      .nonce = std::string(words.substr(0, end)), .attempt = {std::string(words.substr(end + 1))}, .listener = -1};
  std::memcpy(&request.listener, CMSG_DATA(control), sizeof(int));
  return request;
}

}  // namespace lowbit::exec
