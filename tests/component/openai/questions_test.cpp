#include "openai/questions.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <lowbit/errors.hpp>
#include <set>

#include "support/http_server.h"
#include "support/program.h"

using namespace lowbit;
using namespace lowbit::openai;
using namespace std::chrono_literals;
using test::HttpAnswer;
using test::HttpAsked;
using How = test::HttpAnswer::How;

namespace {

constexpr const char* kKey = "sk-very-secret-0123456789";

/// Asks n questions with the bodies "0", "1" and so on, and remembers the calls.
struct Client {
  explicit Client(const std::string& url, const char* key = kKey) {
    ::setenv("TEST_URL", url.c_str(), 1);
    ::setenv("TEST_KEY", key, 1);
    endpoint = endpoint_named("local", {.url = "TEST_URL", .key = "TEST_KEY"});
    policy.backoff = 1ms;
    policy.timeout = 10s;
    policy.draw = [this](const std::string& id, int attempt) {
      draws.push_back(id + "/" + std::to_string(attempt));
      return 0.5;
    };
  }
  void ask(std::size_t n) {
    openai::ask(endpoint, n, policy,
                {.turn = [this](std::size_t i) -> Turn {
                   if (before) before(i);
                   if (known.contains(i)) return Known{};
                   if (turn) return turn(i);
                   return Request{.id = "q" + std::to_string(i), .body = std::to_string(i)};
                 },
                 .ended =
                     [this](const Call& call) {
                       calls.push_back(call);
                       return after ? after(call) : After::as_meant;
                     },
                 .poll =
                     [this] {
                       if (poll) poll();
                     }});
  }
  /// The four parts of the error that ends asking.
  std::string refusal(std::size_t n, lb_status status) {
    try {
      ask(n);
    } catch (const StageError& e) {
      CHECK(e.status() == status);
      return e.text().what + "\n" + e.text().where + "\n" + e.text().why + "\n" + e.text().fix;
    }
    return "all were answered";
  }
  [[nodiscard]] std::multiset<std::size_t> answered() const {
    std::multiset<std::size_t> all;
    for (const Call& call : calls) {
      if (call.meaning == Meaning::answered) all.insert(call.question);
    }
    return all;
  }

  Endpoint endpoint{.id = {}, .host = {}, .port = {}, .path = {}, .key = {}, .variables = {}};
  Policy policy;
  std::set<std::size_t> known;
  std::function<void(std::size_t question)> before;
  std::function<void()> poll;
  std::function<Turn(std::size_t question)> turn;  ///< instead of the body that is the question's number
  std::function<After(const Call&)> after;
  std::vector<Call> calls;
  std::vector<std::string> draws;
};

}  // namespace

TEST_CASE("every question is asked once, over no more connections than allowed, with the key", "[openai]") {
  test::HttpServer server([](const HttpAsked& asked) { return HttpAnswer{.body = "to " + asked.body, .headers = {}}; });
  Client client(server.url());
  client.policy.max_concurrent = 3;
  client.ask(20);
  REQUIRE(client.calls.size() == 20);
  const auto answered = client.answered();
  CHECK(std::set<std::size_t>(answered.begin(), answered.end()).size() == 20);
  for (const Call& call : client.calls) CHECK(call.reply.body == "to " + std::to_string(call.question));
  for (const HttpAsked& asked : server.asked()) {
    CHECK(asked.connection <= 3);
    CHECK(asked.target == "/v1/chat/completions");
    CHECK(asked.headers.at("authorization") == std::string("Bearer ") + kKey);
    CHECK(asked.headers.at("content-type") == "application/json");
  }
}

TEST_CASE("without a key none is sent, and a known answer is not asked for", "[openai]") {
  test::HttpServer server([](const HttpAsked&) { return HttpAnswer{.body = "x", .headers = {}}; });
  Client client(server.url(), "");
  client.known = {0, 2};
  client.ask(3);
  REQUIRE(server.asked().size() == 1);
  CHECK(server.asked()[0].body == "1");
  CHECK_FALSE(server.asked()[0].headers.contains("authorization"));
}

TEST_CASE("what transport breaks is asked again until it is answered", "[openai]") {
  const auto broken = GENERATE(as<HttpAnswer>{}, HttpAnswer{.status = 500, .body = "x", .headers = {}},
                               HttpAnswer{.status = 503, .body = {}, .headers = {}},
                               HttpAnswer{.body = {}, .headers = {}, .how = How::nothing},
                               HttpAnswer{.body = std::string(1000, 'x'), .headers = {}, .how = How::half},
                               HttpAnswer{.body = {}, .headers = {}, .how = How::silence});
  test::HttpServer server(
      [&](const HttpAsked& asked) { return asked.number <= 2 ? broken : HttpAnswer{.body = "fine", .headers = {}}; });
  Client client(server.url());
  client.policy.max_concurrent = 1;
  client.policy.timeout = broken.how == How::silence ? 1s : 10s;
  client.ask(1);
  REQUIRE(client.calls.size() == 3);
  CHECK(client.calls[0].meaning == Meaning::retry);
  CHECK(client.calls[1].meaning == Meaning::retry);
  CHECK(client.calls[2].reply.body == "fine");
  CHECK(client.draws == std::vector<std::string>{"q0/1", "q0/2"});
  if (broken.how == How::silence) CHECK_THAT(client.calls[0].reply.failure, Catch::EndsWith("no answer in time"));
}

TEST_CASE("a connection that the server ended between two requests is opened again without a failed call", "[openai]") {
  const bool said = GENERATE(true, false);
  test::HttpServer server(
      [&](const HttpAsked&) { return HttpAnswer{.body = "x", .headers = {}, .keep_alive = !said, .hang_up = !said}; });
  Client client(server.url());
  client.policy.max_concurrent = 1;
  client.before = [&](std::size_t question) { REQUIRE(server.wait_for_ends(question)); };
  client.ask(4);
  CHECK(client.calls.size() == 4);
  CHECK(client.answered().size() == 4);
}

TEST_CASE("calls begin no closer than the allowed rate spaces them, repeated ones too", "[openai]") {
  test::HttpServer server([](const HttpAsked& asked) {
    if (asked.number == 2) return HttpAnswer{.status = 503, .body = {}, .headers = {}};
    return HttpAnswer{.body = "x", .headers = {}};
  });
  Client client(server.url());
  client.policy.max_concurrent = 4;
  client.policy.per_minute = 600;  // one in 100 ms
  const auto begin = std::chrono::steady_clock::now();
  client.ask(5);
  CHECK(std::chrono::steady_clock::now() - begin >= 500ms);  // six calls, five pauses
  REQUIRE(client.calls.size() == 6);
  std::vector<std::chrono::system_clock::time_point> begins;
  for (const Call& call : client.calls) begins.push_back(call.started_at);
  std::sort(begins.begin(), begins.end());
  for (std::size_t i = 1; i < begins.size(); ++i) CHECK(begins[i] - begins[i - 1] >= 99ms);
  CHECK(client.answered() == std::multiset<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("Retry-After holds all questions back", "[openai]") {
  test::HttpServer server([](const HttpAsked& asked) {
    if (asked.number == 1) return HttpAnswer{.status = 429, .body = {}, .headers = {{"Retry-After", "1"}}};
    return HttpAnswer{.body = "x", .headers = {}};
  });
  Client client(server.url());
  client.policy.max_concurrent = 1;
  client.ask(3);
  const auto asked = server.asked();
  REQUIRE(asked.size() == 4);
  CHECK(asked[1].at - asked[0].at >= 1s);
  CHECK(client.answered() == std::multiset<std::size_t>{0, 1, 2});
}

TEST_CASE("an endpoint that stays broken is given up with what was tried", "[openai]") {
  test::HttpServer server([](const HttpAsked&) {
    return HttpAnswer{.status = 500, .body = R"({"error":{"message":"overloaded"}})", .headers = {}};
  });
  Client client(server.url());
  client.policy.max_attempts = 3;
  client.policy.max_concurrent = 1;
  CHECK(client.refusal(1, LB_TRANSIENT) ==
        "endpoint `local` did not answer\n127.0.0.1:" + std::to_string(server.port()) +
            "\ntried 3 times; HTTP 500: overloaded\ncheck the server and TEST_URL, then run again: answers that were "
            "paid "
            "for are kept");
  CHECK(server.asked().size() == 3);
}

TEST_CASE("a server that asks for a long wait is not waited for", "[openai]") {
  test::HttpServer server([](const HttpAsked&) {
    return HttpAnswer{.status = 429, .body = {}, .headers = {{"Retry-After", "301"}}};
  });
  Client client(server.url());
  CHECK_THAT(client.refusal(1, LB_TRANSIENT), Catch::Contains("it asks to wait 301 s; HTTP 429"));
  CHECK(server.asked().size() == 1);
}

TEST_CASE("a server that is not there is named with what the system says", "[openai]") {
  std::string url;
  {
    const test::HttpServer gone([](const HttpAsked&) { return HttpAnswer{.body = {}, .headers = {}}; });
    url = gone.url();
  }
  Client client(url);
  client.policy.max_attempts = 2;
  CHECK_THAT(client.refusal(3, LB_TRANSIENT), Catch::StartsWith("endpoint `local` did not answer\n127.0.0.1:") &&
                                                  Catch::Contains("tried 2 times; connecting to 127.0.0.1:") &&
                                                  Catch::Contains("Connection refused"));
}

TEST_CASE("a question may have another turn with another body, and its tries are counted anew", "[openai]") {
  test::HttpServer server([](const HttpAsked& asked) {
    if (asked.body == "plain") return HttpAnswer{.body = "fine", .headers = {}};
    return HttpAnswer{.status = asked.number == 1 ? 503U : 400U, .body = "no such form", .headers = {}};
  });
  Client client(server.url());
  client.policy.max_concurrent = 1;
  client.policy.max_attempts = 2;
  std::string body = "strict";
  client.turn = [&](std::size_t) -> Turn { return Request{.id = body, .body = body}; };
  client.after = [&](const Call& call) {
    if (call.reply.status != 400) return After::as_meant;
    body = "plain";
    return After::ask_on;
  };
  client.ask(2);
  std::vector<std::string> ids;
  for (const Call& call : client.calls) ids.push_back(call.id);
  CHECK(ids == std::vector<std::string>{"strict", "strict", "plain", "plain"});
  CHECK(client.answered() == std::multiset<std::size_t>{0, 1});
}

TEST_CASE("what the caller cannot use is asked again like a failure of transport, and not for ever", "[openai]") {
  test::HttpServer server([](const HttpAsked&) { return HttpAnswer{.body = "<html>", .headers = {}}; });
  Client client(server.url());
  client.policy.max_attempts = 3;
  client.after = [](const Call&) { return After::ask_again; };
  CHECK_THAT(client.refusal(1, LB_TRANSIENT), Catch::Contains("tried 3 times; HTTP 200: <html>"));
  CHECK(server.asked().size() == 3);
}

TEST_CASE("a turn may have to wait for a call under way, and may end asking", "[openai]") {
  test::HttpServer server([](const HttpAsked& asked) { return HttpAnswer{.body = asked.body, .headers = {}}; });
  Client client(server.url());
  client.policy.max_concurrent = 4;
  std::size_t under_way = 0;
  client.turn = [&](std::size_t i) -> Turn {
    if (i == 5) return StageError(LB_BAD_PARAM, {.what = "enough", .where = "w", .why = "y", .fix = "f"});
    if (under_way > 0) return Wait{};
    ++under_way;
    return Request{.id = "q", .body = std::to_string(i)};
  };
  client.after = [&](const Call&) {
    --under_way;
    return After::as_meant;
  };
  CHECK_THAT(client.refusal(9, LB_BAD_PARAM), Catch::StartsWith("enough\n"));
  CHECK(client.answered() == std::multiset<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("what a person has to change ends asking at once and says which variable or parameter", "[openai]") {
  struct Case {
    unsigned status;
    const char* key;
    const char* what;
    const char* where;
  };
  const auto c =
      GENERATE(Case{401, kKey, "endpoint `local` does not accept the key", "environment variable TEST_KEY"},
               Case{401, "", "endpoint `local` needs a key, and none is set", "environment variable TEST_KEY"},
               Case{403, kKey, "endpoint `local` does not accept the key", "environment variable TEST_KEY"},
               Case{404, kKey, "endpoint `local` has no such address or model", "/v1/chat/completions"},
               Case{400, kKey, "endpoint `local` does not accept the request", "/v1/chat/completions"},
               Case{302, kKey, "endpoint `local` answers with a redirection", "environment variable TEST_URL"});
  test::HttpServer server([&](const HttpAsked& asked) {
    const auto sent = asked.headers.find("authorization");
    const std::string repeated = sent == asked.headers.end() ? "nothing" : sent->second;
    return HttpAnswer{.status = c.status, .body = R"({"error":{"message":"got )" + repeated + "\"}}", .headers = {}};
  });
  Client client(server.url(), c.key);
  client.policy.max_concurrent = 1;
  const std::string said = client.refusal(5, LB_BAD_PARAM);
  CHECK_THAT(said, Catch::StartsWith(std::string(c.what) + "\n") && Catch::Contains(c.where) &&
                       Catch::Contains("HTTP " + std::to_string(c.status)));
  CHECK_THAT(said, !Catch::Contains("secret"));
  CHECK_THAT(client.calls.at(0).reply.body, !Catch::Contains("secret"));
  CHECK(server.asked().size() == 1);
}

TEST_CASE("calls under way are waited for and counted when another one ends asking", "[openai]") {
  test::HttpServer server([](const HttpAsked& asked) {
    return HttpAnswer{.status = asked.body == "0" ? 401U : 200U, .body = "x", .headers = {}};
  });
  Client client(server.url());
  client.policy.max_concurrent = 4;
  CHECK_THAT(client.refusal(4, LB_BAD_PARAM), Catch::StartsWith("endpoint `local` does not accept the key"));
  CHECK(client.calls.size() == server.asked().size());
}

TEST_CASE("asking ends at once when the caller wants it, in the middle of a call", "[openai]") {
  struct Stop {};
  test::HttpServer server([](const HttpAsked&) { return HttpAnswer{.body = {}, .headers = {}, .how = How::silence}; });
  Client client(server.url());
  client.policy.timeout = 60s;
  client.poll = [&] {
    if (!server.asked().empty()) throw Stop{};
  };
  const auto start = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(client.ask(2), Stop);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  CHECK(client.calls.empty());
}

TEST_CASE("a TLS server is believed when its authority is in SSL_CERT_FILE, and refused otherwise", "[openai]") {
  const test::TemporaryDirectory directory;
  const test::Certificates certificates(directory.path());
  test::HttpServer server([](const HttpAsked& asked) { return HttpAnswer{.body = asked.body, .headers = {}}; },
                          &certificates);
  Client client(server.url());
  ::setenv("SSL_CERT_FILE", certificates.authority.c_str(), 1);
  client.policy.max_concurrent = 2;
  client.ask(6);
  CHECK(client.answered().size() == 6);
  for (const HttpAsked& asked : server.asked()) CHECK(asked.connection <= 2);

  SECTION("by name as well as by address") {
    Client named("https://localhost:" + std::to_string(server.port()));
    named.ask(1);
    CHECK(named.answered().size() == 1);
  }
  SECTION("an authority that is not trusted") {
    ::unsetenv("SSL_CERT_FILE");
    Client other(server.url());
    const std::string said = other.refusal(3, LB_BAD_PARAM);
    CHECK_THAT(said, Catch::StartsWith("endpoint `local` cannot prove who it is\nenvironment variable TEST_URL\nthe "
                                       "certificate of 127.0.0.1:") &&
                         Catch::Contains("certificate") && Catch::Contains("SSL_CERT_FILE=/path/of/ca.pem"));
  }
  SECTION("another host's certificate") {
    Client other("https://127.0.0.2:" + std::to_string(server.port()));
    CHECK_THAT(other.refusal(1, LB_BAD_PARAM), Catch::StartsWith("endpoint `local` cannot prove who it is\n"));
  }
  ::unsetenv("SSL_CERT_FILE");
}
