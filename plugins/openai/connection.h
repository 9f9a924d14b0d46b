// One HTTP/1.1 connection that is kept open between requests, plain or TLS. One request at a time; belongs to the
// thread that runs the io_context.
//
// TLS: the server's certificate is always verified, for its host name, against SSL_CERT_FILE or the system's
// authorities. A limit covers connecting, sending and receiving. Looking up a host name is left to the system and its
// limits.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "openai/endpoint.h"
#include "openai/retry.h"

namespace lowbit::openai {

/// Verifies, and trusts what SSL_CERT_FILE, SSL_CERT_DIR or the system names.
[[nodiscard]] boost::asio::ssl::context client_context();

class Connection {
 public:
  using Done = std::function<void(Reply)>;

  /// All three outlive it.
  Connection(boost::asio::io_context& io, boost::asio::ssl::context& tls, const Endpoint& endpoint)
      : io_(io), tls_(tls), endpoint_(endpoint), resolver_(io) {}

  /// Sends `body` as JSON; calls `done` once, later, from io_context::run(). REQUIRES: no request is under way.
  void post(const std::string& path, const std::string& body, std::chrono::milliseconds limit, Done done);

 private:
  using Stream = boost::beast::ssl_stream<boost::beast::tcp_stream>;
  using Error = boost::system::error_code;

  [[nodiscard]] bool is_open();
  void connect();
  void look_up(const std::string& host);
  void handshake();
  void send();
  void receive();
  void finish();
  void fail(const std::string& doing, const Error& error);
  void end(Reply reply);
  template <class Use>
  void with_stream(Use&& use);

  boost::asio::io_context& io_;
  boost::asio::ssl::context& tls_;
  const Endpoint& endpoint_;
  boost::asio::ip::tcp::resolver resolver_;
  std::optional<Stream> stream_;  ///< plain connections use the layer below TLS alone
  boost::beast::flat_buffer buffer_;
  boost::beast::http::request<boost::beast::http::string_body> request_;
  std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> parser_;
  std::chrono::milliseconds limit_{};
  Done done_;
};

}  // namespace lowbit::openai
