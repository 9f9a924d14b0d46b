#include "openai/chat.h"

#include <catch2/catch.hpp>

using namespace lowbit::openai;
using Json = nlohmann::json;

namespace {
constexpr const char* kNoObject = "the reply is no JSON object, or one in which a key stands twice";
const std::vector<Message> kBoth{{"system", "be brief"}, {"user", "why?"}};
}  // namespace

TEST_CASE("a request for a text keeps its bytes: what was paid for is found by them", "[openai]") {
  CHECK(chat_request({.model = "m", .temperature = 0.5, .max_tokens = 9}, kBoth) ==
        R"({"max_tokens":9,"messages":[{"content":"be brief","role":"system"},{"content":"why?","role":"user"}],)"
        R"("model":"m","n":1,"stream":false,"temperature":0.5})");
  CHECK(chat_request({.model = "m", .temperature = {}, .max_tokens = 9}, {{"user", "why?"}}) ==
        R"({"max_tokens":9,"messages":[{"content":"why?","role":"user"}],"model":"m","n":1,"stream":false})");
}

TEST_CASE("what a model does not support is sent otherwise or not at all", "[openai]") {
  const Json body = Json::parse(
      chat_request({.model = "m", .max_tokens = 9, .max_completion_tokens = true, .system_role = false}, kBoth));
  CHECK(body == Json::parse(R"({"model": "m", "max_completion_tokens": 9, "n": 1, "stream": false,
    "messages": [{"role": "user", "content": "be brief\n\nwhy?"}]})"));
}

TEST_CASE("each form of answer is asked for as the interface defines it", "[openai]") {
  const AnswerSchema schema =
      answer_schema("a.b", nlohmann::ordered_json::parse(R"({"type": "object", "required": ["z", "a"],
                                               "properties": {"z": {"type": "string"}, "a": {"type": "integer"}}})"));
  const auto body = [&](Form form) { return chat_request({.model = "m", .max_tokens = 9}, kBoth, form, &schema); };
  const std::string written =
      R"({"type":"object","properties":{"z":{"type":"string"},"a":{"type":"integer"}},"required":["z","a"],)"
      R"("additionalProperties":false})";
  CHECK_THAT(body(Form::json_schema),
             Catch::EndsWith(R"("response_format":{"json_schema":{"name":"a_b","schema":)" + written +
                             R"(,"strict":true},"type":"json_schema"},"stream":false})"));
  const Json tool = Json::parse(body(Form::tool));
  CHECK(tool["tools"][0]["type"] == "function");
  CHECK(tool["tools"][0]["function"]["name"] == "a_b");
  CHECK(tool["tools"][0]["function"]["strict"] == true);
  CHECK(tool["tools"][0]["function"]["parameters"] == Json::parse(written));
  CHECK(tool["tool_choice"] == Json::parse(R"({"type": "function", "function": {"name": "a_b"}})"));
  CHECK_THAT(body(Form::tool), Catch::Contains(written));
  const Json object = Json::parse(body(Form::json_object));
  CHECK(object["response_format"] == Json{{"type", "json_object"}});
  CHECK(object["messages"][0]["content"] == "be brief");
  CHECK(object["messages"][1]["content"] ==
        "why?\n\nAnswer with one JSON object that fits this JSON Schema:\n" + written);
  CHECK(body(Form::text) == chat_request({.model = "m", .max_tokens = 9}, kBoth));
}

TEST_CASE("a plain prompt is continued as it stands, with what sampling needs", "[openai]") {
  CHECK(
      Json::parse(completion_request(
          {.model = "m", .temperature = 0.5, .top_p = 0.25, .max_tokens = 9, .seed = 7, .stop = {"\n"}}, "1 + 1 =")) ==
      Json::parse(R"({"model": "m", "temperature": 0.5, "top_p": 0.25, "max_tokens": 9, "n": 1, "stream": false,
                        "seed": 7, "stop": ["\n"], "prompt": "1 + 1 ="})"));
  const Completion c = read_completion(200, R"({"choices": [{"finish_reason": "length", "text": " 2"}]})");
  CHECK(c.outcome == Outcome::truncated);
  CHECK(c.text == " 2");
}

TEST_CASE("the arguments of the one tool that was called are the text", "[openai]") {
  const auto read = [](const char* message) {
    return read_completion(
        200, std::string(R"({"choices": [{"finish_reason": "tool_calls", "message": )") + message + "}]}");
  };
  CHECK(read(R"({"content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{\"a\": 1}"}}]})").text ==
        R"({"a": 1})");
  CHECK(read(R"({"content": "x", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]})").text ==
        R"({"a":1})");
  CHECK(read(R"({"content": "said instead", "tool_calls": []})").text == "said instead");
  const Completion two = read(R"({"content": "x", "tool_calls": [{"function": {"arguments": "{}"}},
                                                                 {"function": {"arguments": "{}"}}]})");
  CHECK(two.outcome == Outcome::invalid);
}

TEST_CASE("what a model says of its reasoning is counted and not read", "[openai]") {
  const Completion c = read_completion(200, R"({"choices": [{"finish_reason": "stop", "message":
    {"content": "4", "reasoning_content": "2 and 2 are 5, no, 4", "reasoning": "hm"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 8}}})");
  CHECK(c.text == "4");
  CHECK(c.reasoning_tokens == 8);
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
           Expected{200, R"({"choices":[{"finish)", Outcome::invalid, kNoObject},
           Expected{200, R"({"choices":[{"finish_reason":"stop","message":{"content":"4","content":"5"}}]})",
                    Outcome::invalid, kNoObject},
           Expected{200, R"({"choices":[]} {"choices":[]})", Outcome::invalid, kNoObject},
           Expected{200, "<html>busy</html>", Outcome::invalid, kNoObject},
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
