// Where a server is and what opens it: experiments name an endpoint by an id, address and key stand in the environment.
//
//   LOWBIT_JUDGE_URL=https://api.example.com/v1      LOWBIT_JUDGE_KEY=sk-...          whatever the id
//   LOWBIT_JUDGE_URL="a=https://a.example/v1 b=http://127.0.0.1:8000/v1"  LOWBIT_JUDGE_KEY="a=sk-..."   by id
//
// A key is sent as a bearer token and goes nowhere else: no function here puts it, or an address beyond host and port,
// into a text.
#pragma once

#include <string>
#include <string_view>

namespace lowbit::openai {

/// The names of the two environment variables.
struct Variables {
  const char* url;
  const char* key;
};

struct Endpoint {
  std::string id;
  bool tls = true;
  std::string host, port;
  std::string path;  ///< of the base address, without a slash at its end: "/v1"
  std::string key;   ///< empty: none is sent
  Variables variables;

  /// "api.example.com:443"
  [[nodiscard]] std::string address() const { return host + ":" + port; }
  /// The text with the key taken out. Keys of fewer than 8 bytes stay: they are placeholders of servers that need none,
  /// and stand in any text by chance.
  [[nodiscard]] std::string redacted(std::string text) const;
};

/// Throws StageError: LB_BAD_PARAM naming the variable that is missing or cannot be used.
[[nodiscard]] Endpoint endpoint_named(const std::string& id, Variables variables);

}  // namespace lowbit::openai
