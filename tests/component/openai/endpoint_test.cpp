#include "openai/endpoint.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <lowbit/errors.hpp>

using namespace lowbit;
using namespace lowbit::openai;

namespace {

constexpr Variables kVariables{.url = "TEST_URL", .key = "TEST_KEY"};

Endpoint endpoint(const char* url, const char* key = "", const std::string& id = "local") {
  ::setenv(kVariables.url, url, 1);
  ::setenv(kVariables.key, key, 1);
  return endpoint_named(id, kVariables);
}

/// The four parts of the error, and its status.
std::string refusal(const char* url, const char* key = "", const std::string& id = "local") {
  try {
    (void)endpoint(url, key, id);
  } catch (const StageError& e) {
    CHECK(e.status() == LB_BAD_PARAM);
    return e.text().what + "\n" + e.text().where + "\n" + e.text().why + "\n" + e.text().fix;
  }
  return "accepted";
}

}  // namespace

TEST_CASE("an address is taken apart", "[openai]") {
  const Endpoint plain = endpoint("https://api.example.com/v1/", " sk-0123456789\n");
  CHECK(plain.tls);
  CHECK(plain.address() == "api.example.com:443");
  CHECK(plain.path == "/v1");
  CHECK(plain.key == "sk-0123456789");
  const Endpoint local = endpoint("http://127.0.0.1:8000");
  CHECK_FALSE(local.tls);
  CHECK(local.address() == "127.0.0.1:8000");
  CHECK(local.path.empty());
  CHECK(local.key.empty());
  const Endpoint v6 = endpoint("http://[::1]:81/a/b");
  CHECK((v6.host == "::1" && v6.port == "81" && v6.path == "/a/b"));
}

TEST_CASE("several endpoints share the two variables by their ids", "[openai]") {
  const char* const urls = "a=https://a.example/v1 b=http://b.example:8000/v1";
  const char* const keys = "a=sk-aaaaaaaa== c=other";
  CHECK(endpoint(urls, keys, "a").address() == "a.example:443");
  CHECK(endpoint(urls, keys, "a").key == "sk-aaaaaaaa==");
  CHECK(endpoint(urls, keys, "b").address() == "b.example:8000");
  CHECK(endpoint(urls, keys, "b").key.empty());
  CHECK(refusal(urls, keys, "c") ==
        "endpoint `c` has no address\nenvironment variable TEST_URL\nthe list in it has no entry `c=`\nexport "
        "TEST_URL=https://HOST/v1, or a list \"c=https://HOST/v1 OTHER=...\", before `lowbit run`");
}

TEST_CASE("a missing address is refused with what to set", "[openai]") {
  CHECK(refusal("") ==
        "endpoint `local` has no address\nenvironment variable TEST_URL\nthe variable is not set\nexport "
        "TEST_URL=https://HOST/v1, or a list \"local=https://HOST/v1 OTHER=...\", before `lowbit run`");
}

TEST_CASE("addresses that would be misread are refused, and nothing of them is shown", "[openai]") {
  for (const char* url :
       {"local=ftp://secret.example", "https://user:secret@h/v1", "https://h/v1?key=secret", "https://h/v1#secret",
        "https://h:secret/v1", "https://:80/secret", "http://[::1/secret", "https://h/se cret"}) {
    const std::string said = refusal(url);
    CHECK_THAT(said,
               Catch::StartsWith("the address of endpoint `local` cannot be used\nenvironment variable TEST_URL\n"));
    CHECK_THAT(said, !Catch::Contains("secret"));
  }
}

TEST_CASE("a key that is no header is refused without showing it", "[openai]") {
  const std::string said = refusal("https://h/v1", "secret\r\nX-Other: 1");
  CHECK_THAT(said, Catch::StartsWith("the key of endpoint `local` cannot be sent\nenvironment variable TEST_KEY\n"));
  CHECK_THAT(said, !Catch::Contains("secret"));
}

TEST_CASE("a key is taken out of what a server repeats", "[openai]") {
  const Endpoint e = endpoint("https://h/v1", "sk-0123456789");
  CHECK(e.redacted("Bearer sk-0123456789, sk-0123456789!") == "Bearer [key], [key]!");
  CHECK(endpoint("https://h/v1", "EMPTY").redacted("EMPTY set") == "EMPTY set");
}
