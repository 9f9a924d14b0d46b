// A small HTTP server on 127.0.0.1 that answers as a test says, well or badly.
//
//   HttpServer server([](const HttpAsked& asked) -> HttpAnswer { return {.status = 500}; });
//   ... a client posts to server.url() ...
//   CHECK(server.asked().size() == 2);
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lowbit::test {

struct HttpAsked {
  std::size_t number = 0;      ///< 1 for the first request that the server read
  std::size_t connection = 0;  ///< likewise of connections
  std::string target, body;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::chrono::steady_clock::time_point at;
};

struct HttpAnswer {
  enum class How {
    whole,
    half,     ///< the connection is closed in the middle of the body
    nothing,  ///< the connection is closed instead of an answer
    silence   ///< no answer until the client goes or the server ends
  };
  unsigned status = 200;
  std::string body;
  std::map<std::string, std::string> headers;
  How how = How::whole;
  bool keep_alive = true;  ///< what it says of the connection, and does
  bool hang_up = false;    ///< the connection ends after the answer, whatever was said
};

/// PEM files of a server for `localhost` and 127.0.0.1, and of the authority that signed it: made anew each time.
struct Certificates {
  explicit Certificates(const std::filesystem::path& directory);
  std::filesystem::path authority, server, key;
};

class HttpServer {
 public:
  /// Called on the connections' threads, one at a time.
  using Answer = std::function<HttpAnswer(const HttpAsked&)>;

  explicit HttpServer(Answer answer, const Certificates* tls = nullptr);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] unsigned short port() const;
  /// "http://127.0.0.1:PORT/v1"; https with certificates.
  [[nodiscard]] std::string url() const;
  /// So far, in order.
  [[nodiscard]] std::vector<HttpAsked> asked() const;
  /// Returns once so many requests have arrived; false after ten seconds.
  [[nodiscard]] bool wait_for(std::size_t requests) const;
  /// Likewise, once so many connections have ended.
  [[nodiscard]] bool wait_for_ends(std::size_t connections) const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace lowbit::test
