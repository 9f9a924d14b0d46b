#include "openai/retry.h"

#include <catch2/catch.hpp>

using namespace lowbit::openai;
using namespace std::chrono_literals;

namespace {
Reply reply(unsigned status, const std::string& body = "") {
  return {.status = status, .body = body, .retry_after = {}, .failure = {}};
}
}  // namespace

TEST_CASE("what passes is asked again, what an answer is counts, the rest stops everything", "[openai]") {
  CHECK(meaning_of(reply(200)) == Meaning::answered);
  for (const unsigned status : {408U, 409U, 425U, 429U, 500U, 502U, 503U, 504U, 529U}) {
    CHECK(meaning_of(reply(status)) == Meaning::retry);
  }
  for (const unsigned status : {201U, 301U, 400U, 401U, 403U, 404U, 422U}) {
    CHECK(meaning_of(reply(status)) == Meaning::stop);
  }
  CHECK(meaning_of({.body = {}, .retry_after = {}, .failure = "connection refused"}) == Meaning::retry);
  CHECK(meaning_of({.body = {}, .retry_after = {}, .failure = "self-signed", .untrusted = true}) == Meaning::stop);
}

TEST_CASE("the server's own error code tells a question that cannot be answered from a request that is wrong",
          "[openai]") {
  const auto coded = [](const char* code) {
    return std::string(R"({"error":{"message":"m","code":")") + code + "\"}}";
  };
  CHECK(meaning_of(reply(400, coded("context_length_exceeded"))) == Meaning::answered);
  CHECK(meaning_of(reply(400, coded("content_filter"))) == Meaning::answered);
  CHECK(meaning_of(reply(400, coded("invalid_type"))) == Meaning::stop);
  CHECK(meaning_of(reply(429, coded("rate_limit_exceeded"))) == Meaning::retry);
  CHECK(meaning_of(reply(429, coded("insufficient_quota"))) == Meaning::stop);
  CHECK(error_code_of(reply(429, R"({"error":{"type":"insufficient_quota","code":null}})")) == "insufficient_quota");
  CHECK(error_code_of(reply(500, "<html>")).empty());
}

TEST_CASE("a reply is described in one line of bounded length", "[openai]") {
  CHECK(describe(reply(404, R"({"error":{"message":"no such\nmodel"}})")) == "HTTP 404: no such model");
  CHECK(describe(reply(500, R"({"error":"down"})")) == "HTTP 500: down");
  CHECK(describe(reply(502)) == "HTTP 502");
  CHECK(describe(reply(502, std::string(5000, 'x'))).size() == 310);
  CHECK(describe({.body = {}, .retry_after = {}, .failure = "connecting to h:1: refused"}) ==
        "connecting to h:1: refused");
}

TEST_CASE("Retry-After is read as seconds or as a date", "[openai]") {
  // The example of RFC 9110: 784111777 seconds after the epoch.
  const auto then = std::chrono::system_clock::from_time_t(784111777);
  const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
  CHECK(read_retry_after("120", then) == 120s);
  CHECK(read_retry_after("0", then) == 0s);
  CHECK(read_retry_after(date, then - 90s) == 90s);
  CHECK(read_retry_after(date, then - 1500ms) == 2s);  // never earlier than asked for
  CHECK(read_retry_after(date, then + 5s) == 0s);
  for (const char* other : {"", "soon", "-1", "1.5", "12 s", "Sun, 06 Nov 1994 08:49:37 CET", "99999999999999999999"}) {
    CHECK_FALSE(read_retry_after(other, then));
  }
}

TEST_CASE("the wait doubles up to a minute and is a share of it that the caller draws", "[openai]") {
  CHECK(backoff(1000ms, 1, 0.5) == 500ms);
  CHECK(backoff(1000ms, 2, 0.5) == 1000ms);
  CHECK(backoff(1000ms, 5, 0.25) == 4000ms);
  CHECK(backoff(1000ms, 50, 0.5) == 30000ms);
  CHECK(backoff(1000ms, 3, 0) == 0ms);
}
