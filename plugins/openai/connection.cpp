#include "openai/connection.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cerrno>
#include <utility>

namespace lowbit::openai {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {
constexpr std::uint64_t kLargestReply = 16U << 20U;  // bytes
}

asio::ssl::context client_context() {
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  context.set_default_verify_paths();
  context.set_verify_mode(asio::ssl::verify_peer);
  return context;
}

template <class Use>
void Connection::with_stream(Use&& use) {
  if (endpoint_.tls) {
    use(*stream_);
  } else {
    use(stream_->next_layer());
  }
}

void Connection::post(const std::string& path, const std::string& body, std::chrono::milliseconds limit, Done done) {
  request_ = {http::verb::post, endpoint_.path + path, 11};
  request_.set(http::field::host, endpoint_.host.find(':') == std::string::npos
                                      ? endpoint_.address()
                                      : "[" + endpoint_.host + "]:" + endpoint_.port);
  request_.set(http::field::user_agent, "lowbit");
  request_.set(http::field::accept, "application/json");
  request_.set(http::field::content_type, "application/json");
  if (!endpoint_.key.empty()) request_.set(http::field::authorization, "Bearer " + endpoint_.key);
  request_.body() = body;
  request_.prepare_payload();
  limit_ = limit;
  done_ = std::move(done);
  if (is_open()) {
    beast::get_lowest_layer(*stream_).expires_after(limit_);
    send();
  } else {
    connect();
  }
}

/// Whether the server still holds the connection: nothing arrives between two requests but its end.
bool Connection::is_open() {
  if (!stream_) return false;
  auto& socket = beast::get_lowest_layer(*stream_).socket();
  if (!socket.is_open()) return false;
  char byte = 0;
  const auto n = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::connect() {
  stream_.emplace(io_, tls_);
  buffer_.clear();
  look_up(endpoint_.host);
}

void Connection::look_up(const std::string& host) {
  resolver_.async_resolve(host, endpoint_.port, [this, host](Error error, const auto& addresses) {
    // A minimal container has no /etc/hosts; localhost is the loopback address all the same (RFC 6761, 6.3).
    if (error && host == "localhost") return look_up("127.0.0.1");
    if (error) return fail("looking up " + endpoint_.host, error);
    auto& tcp = beast::get_lowest_layer(*stream_);
    tcp.expires_after(limit_);
    tcp.async_connect(addresses, [this](Error e, const auto&) {
      if (e) return fail("connecting to " + endpoint_.address(), e);
      beast::get_lowest_layer(*stream_).socket().set_option(asio::ip::tcp::no_delay(true));
      if (endpoint_.tls) {
        handshake();
      } else {
        send();
      }
    });
  });
}

void Connection::handshake() {
  Error not_an_address;
  asio::ip::make_address(endpoint_.host, not_an_address);
  if (not_an_address) {  // SSL_set_tlsext_host_name() without the old-style cast in it
    SSL_ctrl(stream_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(endpoint_.host.c_str()));
  }
  stream_->set_verify_callback(asio::ssl::host_name_verification(endpoint_.host));
  stream_->async_handshake(asio::ssl::stream_base::client, [this](Error error) {
    if (!error) return send();
    const long verified = SSL_get_verify_result(stream_->native_handle());
    if (verified == X509_V_OK) return fail("the TLS handshake with " + endpoint_.address(), error);
    Reply reply;
    reply.untrusted = true;
    reply.failure = "the certificate of " + endpoint_.address() + ": " + X509_verify_cert_error_string(verified);
    end(std::move(reply));
  });
}

void Connection::send() {
  with_stream([this](auto& stream) {
    http::async_write(stream, request_, [this](Error error, std::size_t) {
      if (error) return fail("sending to " + endpoint_.address(), error);
      receive();
    });
  });
}

void Connection::receive() {
  parser_.emplace();
  parser_->body_limit(kLargestReply);
  with_stream([this](auto& stream) {
    http::async_read(stream, buffer_, *parser_, [this](Error error, std::size_t) {
      if (error) return fail("the answer of " + endpoint_.address(), error);
      finish();
    });
  });
}

void Connection::finish() {
  auto response = parser_->release();
  Reply reply;
  reply.status = response.result_int();
  const auto wait = response[http::field::retry_after];
  reply.retry_after.assign(wait.data(), wait.size());
  reply.body = endpoint_.redacted(std::move(response.body()));
  if (response.keep_alive()) {
    beast::get_lowest_layer(*stream_).expires_never();
    std::exchange(done_, nullptr)(std::move(reply));
  } else {
    end(std::move(reply));
  }
}

void Connection::fail(const std::string& doing, const Error& error) {
  Reply reply;
  reply.failure = doing + ": " + (error == beast::error::timeout ? "no answer in time" : error.message());
  end(std::move(reply));
}

void Connection::end(Reply reply) {
  stream_.reset();
  std::exchange(done_, nullptr)(std::move(reply));
}

}  // namespace lowbit::openai
