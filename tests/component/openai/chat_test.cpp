#include "openai/chat.h"

#include <catch2/catch.hpp>

using namespace lowbit::openai;
using Json = nlohmann::json;

TEST_CASE("a request holds what was asked and nothing that was left out", "[openai]") {
  const std::string body = chat_request({.model = "m", .temperature = 0.5, .max_tokens = 9}, "be brief", "why?");
  CHECK(Json::parse(body) == Json::parse(R"({"model": "m", "temperature": 0.5, "max_tokens": 9, "n": 1, "stream": false,
    "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"}]})"));
  const Json bare = Json::parse(chat_request({.model = "m", .temperature = {}, .max_tokens = 9}, std::nullopt, "why?"));
  CHECK_FALSE(bare.contains("temperature"));
  CHECK(bare["messages"].size() == 1);
}

TEST_CASE("a completion is read with its tokens and who served it", "[openai]") {
  const Completion c = read_completion(200, R"({"model": "m-2025-01", "system_fingerprint": "fp1",
    "choices": [{"finish_reason": "stop", "message": {"content": "text", "refusal": null}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 2},
              "prompt_tokens_details": {"cached_tokens": 8}}})");
  CHECK(c.outcome == Outcome::ok);
  CHECK(c.text == "text");
  CHECK(c.model == "m-2025-01");
  CHECK(c.fingerprint == "fp1");
  CHECK(c.prompt_tokens == 10);
  CHECK(c.completion_tokens == 5);
  CHECK(c.reasoning_tokens == 2);
  CHECK(c.cached_tokens == 8);
}

TEST_CASE("what is no whole answer is named as what it is", "[openai]") {
  struct Expected {
    unsigned status;
    const char* body;
    Outcome outcome;
    const char* why;
  };
  for (const Expected& e : {
           Expected{200, R"({"choices":[{"finish_reason":"length","message":{"content":"{\"a"}}]})", Outcome::truncated,
                    "cut at the token limit"},
           Expected{200, R"({"choices":[{"finish_reason":"stop","message":{"content":null,"refusal":"I will not"}}]})",
                    Outcome::refused, "I will not"},
           Expected{200, R"({"choices":[{"finish_reason":"content_filter","message":{"content":""}}]})",
                    Outcome::refused, "a filter declined"},
           Expected{200, R"({"choices":[{"finish_reason":"stop","message":{"content":""}}]})", Outcome::invalid,
                    "the message has no text"},
           Expected{200, R"({"choices":[{"finish_reason":"stop"}]})", Outcome::invalid, "the message has no text"},
           Expected{200, R"({"choices":[]})", Outcome::invalid, "the reply has no choices"},
           Expected{200, R"({"choices":[{"finish)", Outcome::invalid, "the reply is no JSON object"},
           Expected{200, "<html>busy</html>", Outcome::invalid, "the reply is no JSON object"},
           Expected{400, R"({"error":{"code":"context_length_exceeded","message":"too long"}})", Outcome::truncated,
                    "HTTP 400: too long"},
           Expected{400, R"({"error":{"code":"content_filter","message":"no"}})", Outcome::refused, "HTTP 400: no"},
       }) {
    const Completion c = read_completion(e.status, e.body);
    INFO(e.body);
    CHECK(c.outcome == e.outcome);
    CHECK(c.why == e.why);
    CHECK_FALSE(c.prompt_tokens);
  }
}
