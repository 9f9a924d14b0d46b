#include "support/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/program.h"

namespace lowbit::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

void openssl(const std::filesystem::path& directory, std::vector<std::string> words) {
  words.insert(words.begin(), "/usr/bin/openssl");
  const Ended ended = Program(std::move(words), directory, {}).wait();
  if (ended.status != 0) throw std::runtime_error("openssl failed: " + ended.err);
}

std::string head_and_body(const HttpAnswer& answer) {
  http::response<http::string_body> response(http::status(answer.status), 11);
  response.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  response.body() = answer.body;
  response.keep_alive(answer.keep_alive);
  response.prepare_payload();
  std::ostringstream text;
  text << response;
  return text.str();
}

}  // namespace

Certificates::Certificates(const std::filesystem::path& directory)
    : authority(directory / "ca.pem"), server(directory / "server.pem"), key(directory / "server.key") {
  write_text(directory / "openssl.cnf",
             "[req]\ndistinguished_name = dn\n[dn]\n[ca]\nbasicConstraints = critical,CA:TRUE\n"
             "keyUsage = critical,keyCertSign\n[server]\nsubjectAltName = DNS:localhost,IP:127.0.0.1\n");
  const std::vector<std::string> common{"req",     "-x509", "-config",  "openssl.cnf",
                                        "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:prime256v1",
                                        "-nodes",  "-days", "2"};
  const auto make = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    openssl(directory, std::move(more));
  };
  make({"-extensions", "ca", "-subj", "/CN=authority of a test", "-keyout", "ca.key", "-out", "ca.pem"});
  make({"-extensions", "server", "-subj", "/CN=localhost", "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key",
        "-out", "server.pem"});
}

struct HttpServer::Inner {
  Answer answer;
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::any(), 0}};  // 127.0.0.2 is another host's name
  std::optional<asio::ssl::context> tls;
  mutable std::mutex mutex;
  mutable std::condition_variable arrived;
  std::vector<HttpAsked> asked;
  std::set<int> open;  ///< sockets of connections
  bool ending = false;
  std::size_t n_connections = 0, n_ended = 0;
  std::vector<std::thread> connections;
  std::thread listener;

  void listen() {
    for (;;) {
      boost::system::error_code error;
      tcp::socket socket(io);
      acceptor.accept(socket, error);
      const std::lock_guard lock(mutex);
      if (error || ending) return;
      open.insert(socket.native_handle());
      connections.emplace_back([this, number = ++n_connections](tcp::socket mine) { serve(std::move(mine), number); },
                               std::move(socket));
    }
  }

  void serve(tcp::socket socket, std::size_t connection) {
    const int handle = socket.native_handle();
    try {
      if (tls) {
        asio::ssl::stream<tcp::socket&> stream(socket, *tls);
        stream.handshake(asio::ssl::stream_base::server);
        talk(stream, connection);
      } else {
        talk(socket, connection);
      }
    } catch (const std::exception&) {  // the client went
    }
    const std::lock_guard lock(mutex);
    open.erase(handle);
    boost::system::error_code ignored;
    socket.close(ignored);
    ++n_ended;
    arrived.notify_all();
  }

  template <class Stream>
  void talk(Stream& stream, std::size_t connection) {
    beast::flat_buffer buffer;
    for (;;) {
      http::request<http::string_body> request;
      http::read(stream, buffer, request);
      const HttpAnswer given = answer_to(request, connection);
      if (given.how == HttpAnswer::How::nothing) return;
      if (given.how == HttpAnswer::How::silence) {
        char byte = 0;
        stream.read_some(asio::buffer(&byte, 1));
        return;
      }
      const std::string text = head_and_body(given);
      const bool half = given.how == HttpAnswer::How::half;
      asio::write(stream, asio::buffer(text.data(), half ? text.size() - given.body.size() / 2 : text.size()));
      if (half || !given.keep_alive || given.hang_up) return;
    }
  }

  HttpAnswer answer_to(const http::request<http::string_body>& request, std::size_t connection) {
    const std::lock_guard lock(mutex);
    HttpAsked one{.number = asked.size() + 1,
                  .connection = connection,
                  .target = std::string(request.target()),
                  .body = request.body(),
                  .headers = {},
                  .at = std::chrono::steady_clock::now()};
    for (const auto& field : request) {
      std::string name(field.name_string());
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      one.headers[name] = std::string(field.value());
    }
    asked.push_back(one);
    arrived.notify_all();
    return answer(one);
  }
};

HttpServer::HttpServer(Answer answer, const Certificates* tls) : inner_(std::make_unique<Inner>()) {
  inner_->answer = std::move(answer);
  if (tls != nullptr) {
    inner_->tls.emplace(asio::ssl::context::tls_server);
    inner_->tls->use_certificate_chain_file(tls->server.string());
    inner_->tls->use_private_key_file(tls->key.string(), asio::ssl::context::pem);
  }
  inner_->listener = std::thread([this] { inner_->listen(); });
}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(inner_->mutex);
    inner_->ending = true;
    ::shutdown(inner_->acceptor.native_handle(), SHUT_RDWR);
    for (const int handle : inner_->open) ::shutdown(handle, SHUT_RDWR);
  }
  inner_->listener.join();
  for (std::thread& connection : inner_->connections) connection.join();
}

unsigned short HttpServer::port() const { return inner_->acceptor.local_endpoint().port(); }

std::string HttpServer::url() const {
  return std::string(inner_->tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) + "/v1";
}

std::vector<HttpAsked> HttpServer::asked() const {
  const std::lock_guard lock(inner_->mutex);
  return inner_->asked;
}

bool HttpServer::wait_for(std::size_t requests) const {
  std::unique_lock lock(inner_->mutex);
  return inner_->arrived.wait_for(lock, std::chrono::seconds(10), [&] { return inner_->asked.size() >= requests; });
}

bool HttpServer::wait_for_ends(std::size_t connections) const {
  std::unique_lock lock(inner_->mutex);
  return inner_->arrived.wait_for(lock, std::chrono::seconds(10), [&] { return inner_->n_ended >= connections; });
}

}  // namespace lowbit::test
